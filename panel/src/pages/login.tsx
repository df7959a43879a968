/* Signing in: by mail address and password, or by a link (/login#link=…) that was sent; then by a code, where the person has those. */
import type { Session } from "gen/api";
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../api";
import { Field } from "../components/field";
import { Form } from "../components/form";
import { Notice, Title } from "../components/screen";
import { knowsPasskeys, signWithPasskey } from "../passkey";
import { go } from "../route";
import { plain, plainCode, wrongCode, wrongMail, wrongPassword } from "../rules";
import { signIn, type SignIn } from "../session";
import { useSubmit, type Submit } from "../submit";
import { setLang, t } from "../words";

/** Was this page opened by a link that signs somebody in? */
export const hasLink = (): boolean => new URLSearchParams(location.hash.slice(1)).has("link");

/** Somebody is signed in, and a link wants to sign in another one: nobody is put into another's place unasked. */
export function WhoseLink({ mail, follow, stay }: { mail: string; follow: () => void; stay: () => void }) {
	return (
		<div class="narrow stack">
			<Title text={t("whose-link.title")} />
			<section class="paper">
				<p>{t("whose-link.who", mail)}</p>
				<div class="row">
					<button type="button" class="first" onClick={follow}>
						{t("whose-link.follow")}
					</button>
					<button
						type="button"
						class="plain"
						onClick={() => {
							history.replaceState(null, "", "/");
							stay();
						}}
					>
						{t("whose-link.stay", mail)}
					</button>
				</div>
			</section>
		</div>
	);
}

/** What stands behind #link=, and the language that who made the link wants (&lang=); taken out of the address, so that it is not kept in the history. isForPassword: it was sent to set one. */
function takeLink(): { link: string; isForPassword: boolean } | null {
	const hash = new URLSearchParams(location.hash.slice(1));
	const link = hash.get("link");
	const wanted = hash.get("lang");
	if (!link) return null;
	if (wanted === "ja" || wanted === "en") setLang(wanted, true);
	history.replaceState(null, "", "/login");
	return { link, isForPassword: hash.get("to") === "password" };
}

/** The second step. What was typed in the first is kept until it has succeeded. */
function CodeForm({ form, begin, passkey }: { form: Submit; begin: (code: string) => Promise<void>; passkey: () => void }) {
	const [code, setCode] = useState("");
	const submit = () => void form.run(() => begin(plainCode(code)), { code: wrongCode(code) }, { DENIED: "code" });
	const other = knowsPasskeys() && (
		<button type="button" class="plain" onClick={passkey}>
			{t("login.passkey-second")}
		</button>
	);
	return (
		<Form form={form} submit={submit} button={t("login.begin")} look="paper" isFirst isFocused beside={other} below={<p class="soft">{t("login.code-lost")}</p>}>
			<Field label={t("login.code")} hint={t("login.code-hint")} autocomplete="one-time-code" value={code} set={setCode} wrong={form.wrong.code} />
		</Form>
	);
}

/** Ways in for who has no password at hand. */
function Others({ passkey }: { passkey: () => void }) {
	return (
		<>
			{knowsPasskeys() && (
				<>
					<p class="soft">{t("login.or")}</p>
					<button type="button" onClick={passkey}>
						{t("login.passkey")}
					</button>
				</>
			)}
			<p>
				<a href="/forgotten">{t("login.forgotten")}</a>
			</p>
		</>
	);
}

export function LoginPage({ setSession }: { setSession: (session: Session) => void }) {
	const [mail, setMail] = useState("");
	const [password, setPassword] = useState("");
	const [first, setFirst] = useState<SignIn | null>(null);
	const [isLeft, setLeft] = useState(false);
	const form = useSubmit();
	const isForPassword = useRef(false);

	const begin = async (by: SignIn) => {
		setLeft(false);
		try {
			const session = await signIn(by);
			if (isForPassword.current) go("/account", true);
			setSession(session);
		} catch (error) {
			if (!(error instanceof Failure) || error.problem?.error !== "CODE_NEEDED") throw error;
			setFirst(by);
		}
	};
	useEffect(() => {
		const taken = takeLink();
		isForPassword.current = taken?.isForPassword ?? false;
		if (taken) void form.run(() => begin({ link: taken.link }));
	}, []);
	/* Alone, or as the second step of what was typed. */
	const passkey = (by: SignIn | null) =>
		void form.run(async () => {
			const signed = await signWithPasskey();
			if (signed) await begin(by ? { ...by, ...signed } : signed);
			else setLeft(true);
		});
	const submit = () =>
		void form.run(() => begin({ mail: plain(mail), password }), { mail: wrongMail(mail), password: wrongPassword(password, "login.password-wrong") }, { DENIED: "password" });
	return (
		<div class="narrow stack">
			<Title text={t("login.title")} />
			{isLeft && <Notice tone="bad" title={t("login.passkey-left")} />}
			{first ? (
				<CodeForm form={form} begin={(code) => begin({ ...first, code })} passkey={() => passkey(first)} />
			) : (
				<Form form={form} submit={submit} button={t("login.begin")} look="paper" isFirst below={<Others passkey={() => passkey(null)} />}>
					<Field label={t("login.mail")} type="email" autocomplete="username" value={mail} set={setMail} wrong={form.wrong.mail} />
					<Field label={t("login.password")} type="password" autocomplete="current-password" value={password} set={setPassword} wrong={form.wrong.password} />
				</Form>
			)}
		</div>
	);
}
