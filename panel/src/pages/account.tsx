/* What belongs to the person: language, password, sessions. */
import type { Session, SessionList } from "gen/api";
import { useState } from "preact/hooks";
import { at, call, Failure } from "../api";
import { ActButton } from "../components/button";
import { Field } from "../components/field";
import { Notice, Screen, Title } from "../components/screen";
import { moment } from "../dates";
import { useLoad } from "../load";
import { changePassword } from "../session";
import { lang, setLang, t, type Lang } from "../words";

const PASSWORD_MIN = 10;

function Language() {
	const rows: Array<[Lang, string]> = [
		["ja", t("frame.to-ja")],
		["en", t("frame.to-en")],
	];
	return (
		<section class="paper" aria-labelledby="language">
			<h2 id="language">{t("account.language")}</h2>
			<fieldset class="choices">
				<legend class="hidden">{t("account.language")}</legend>
				{rows.map(([code, words]) => (
					<label key={code} lang={code}>
						<input type="radio" name="language" checked={lang() === code} onChange={() => setLang(code, true)} />
						{words}
					</label>
				))}
			</fieldset>
			<p class="soft">{t("account.language-more")}</p>
		</section>
	);
}

function Password({ session, setSession }: { session: Session; setSession: (session: Session) => void }) {
	const [old, setOld] = useState("");
	const [fresh, setFresh] = useState("");
	const [wrong, setWrong] = useState<{ old?: string; fresh?: string; all?: string }>({});
	const [isBusy, setBusy] = useState(false);
	const [isDone, setDone] = useState(false);
	const asksOld = !session.may_set_password;
	const submit = async (event: Event) => {
		event.preventDefault();
		const missing = {
			old: asksOld && !old ? t("account.old-missing") : undefined,
			fresh: [...fresh].length < PASSWORD_MIN ? t("account.too-short", PASSWORD_MIN) : undefined,
		};
		setWrong(missing);
		setDone(false);
		if (isBusy || missing.old || missing.fresh) return;
		setBusy(true);
		try {
			setSession(await changePassword(fresh, asksOld ? old : undefined));
			setOld("");
			setFresh("");
			setDone(true);
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			setWrong({ all: error.message });
		} finally {
			setBusy(false);
		}
	};
	return (
		<section class="paper" aria-labelledby="password">
			<h2 id="password">{t("account.password")}</h2>
			{isDone && <Notice tone="ok" title={t("account.password-done")} />}
			{wrong.all && <Notice tone="bad" title={wrong.all} />}
			<form class="stack narrow" onSubmit={submit} noValidate>
				<input type="hidden" autocomplete="username" value={session.person.mail} />
				{asksOld && <Field label={t("account.old")} type="password" autocomplete="current-password" maxLength={1024} value={old} set={setOld} wrong={wrong.old} />}
				<Field
					label={t("account.new")}
					hint={t("account.new-hint", PASSWORD_MIN)}
					type="password"
					autocomplete="new-password"
					maxLength={1024}
					value={fresh}
					set={setFresh}
					wrong={wrong.fresh}
				/>
				<div>
					<button aria-disabled={isBusy}>{isBusy ? t("button.busy") : t("account.change")}</button>
				</div>
			</form>
		</section>
	);
}

function Sessions() {
	const sessions = useLoad<SessionList>("/sessions");
	return (
		<section class="paper" aria-labelledby="sessions">
			<h2 id="sessions">{t("account.sessions")}</h2>
			<p class="soft">{t("account.sessions-more")}</p>
			<Screen of={sessions}>
				{(value) => (
					<table class="cards">
						<thead>
							<tr>
								<th scope="col">{t("account.from")}</th>
								<th scope="col">{t("account.used")}</th>
								<th scope="col">{t("account.end")}</th>
							</tr>
						</thead>
						<tbody>
							{value.sessions.map((line) => (
								<tr key={line.id}>
									<td data-label={t("account.from")}>
										<div>
											<code>{line.address}</code>
											<div class="soft">{line.agent}</div>
										</div>
									</td>
									<td data-label={t("account.used")}>{line.used_at && moment(line.used_at)}</td>
									<td data-label={t("account.end")}>
										{line.is_this ? (
											<strong>{t("account.this")}</strong>
										) : (
											<ActButton act={() => call<SessionList>("DELETE", at("sessions", line.id)).then(sessions.set)}>{t("account.stop")}</ActButton>
										)}
									</td>
								</tr>
							))}
						</tbody>
					</table>
				)}
			</Screen>
		</section>
	);
}

export function AccountPage({ session, setSession }: { session: Session; setSession: (session: Session) => void }) {
	return (
		<>
			<Title text={t("account.title")}>
				<p>{session.person.mail}</p>
			</Title>
			<Language />
			<Password session={session} setSession={setSession} />
			<Sessions />
		</>
	);
}
