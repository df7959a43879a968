/* What belongs to the person: how one signs in, who else does, language, and tokens for programs. */
import type { Person, Session } from "gen/api";
import { useState } from "preact/hooks";
import { call, Failure } from "../api";
import { Notice, Title } from "../components/screen";
import { lang, setLang, t, type Lang } from "../words";
import { OneTimeCodes } from "./account/codes";
import { Passkeys } from "./account/passkeys";
import { Password } from "./account/password";
import { People } from "./account/people";
import { Sessions } from "./account/sessions";
import { Tokens } from "./account/tokens";

/** This browser's language, and that of letters about signing in. */
function Language() {
	const [wrong, setWrong] = useState("");
	const rows: Array<[Lang, string]> = [
		["ja", t("frame.to-ja")],
		["en", t("frame.to-en")],
	];
	const choose = (code: Lang) => {
		setLang(code, true);
		setWrong("");
		call<Person>("PATCH", "/person", { lang: code }).catch((error: unknown) => {
			if (!(error instanceof Failure)) throw error;
			setWrong(error.message);
		});
	};
	return (
		<section class="paper" aria-labelledby="language">
			<h2 id="language">{t("account.language")}</h2>
			<p class="soft">{t("account.language-more")}</p>
			{wrong && <Notice tone="bad" title={wrong} />}
			<fieldset class="choices narrow-left">
				<legend class="hidden">{t("account.language")}</legend>
				{rows.map(([code, words]) => (
					<label key={code} lang={code}>
						<input type="radio" name="language" checked={lang() === code} onChange={() => choose(code)} />
						{words}
					</label>
				))}
			</fieldset>
		</section>
	);
}

export function AccountPage({ session, setSession }: { session: Session; setSession: (session: Session) => void }) {
	return (
		<>
			<Title text={t("account.title")}>
				<p>{session.person.mail}</p>
			</Title>
			<Password session={session} setSession={setSession} />
			<Passkeys session={session} />
			<OneTimeCodes session={session} />
			<Sessions />
			{session.person.role === "owner" && <People mine={session.person.mail} />}
			<Language />
			<Tokens role={session.person.role} />
		</>
	);
}
