/* Signing in: by mail address and password, or by a link (/login#link=…) that was sent; then by a code, where the person has those. */
import type { Session } from "gen/api";
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../api";
import { Field } from "../components/field";
import { Notice, Title } from "../components/screen";
import { length } from "../dates";
import { knowsPasskeys, signWithPasskey } from "../passkey";
import { go } from "../route";
import { signIn, type SignIn } from "../session";
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
function CodeForm({ begin, isBusy, passkey }: { begin: (code: string) => void; isBusy: boolean; passkey: () => void }) {
	const [code, setCode] = useState("");
	const [wrong, setWrong] = useState<string>();
	const form = useRef<HTMLFormElement>(null);
	useEffect(() => form.current?.querySelector("input")?.focus(), []);
	const submit = (event: Event) => {
		event.preventDefault();
		setWrong(code.trim() ? undefined : t("login.code-missing"));
		if (!code.trim()) form.current?.querySelector("input")?.focus();
		else if (!isBusy) begin(code.trim());
	};
	return (
		<form class="paper" ref={form} onSubmit={submit} noValidate>
			<Field label={t("login.code")} hint={t("login.code-hint")} autocomplete="one-time-code" maxLength={64} value={code} set={setCode} wrong={wrong} />
			<button class="first" aria-disabled={isBusy}>
				{isBusy ? t("button.busy") : t("login.begin")}
			</button>
			{knowsPasskeys() && (
				<button type="button" class="plain" onClick={passkey}>
					{t("login.passkey-second")}
				</button>
			)}
			<p class="soft">{t("login.code-lost")}</p>
		</form>
	);
}

export function LoginPage({ setSession }: { setSession: (session: Session) => void }) {
	const [mail, setMail] = useState("");
	const [password, setPassword] = useState("");
	const [wrong, setWrong] = useState<{ mail?: string; password?: string; all?: string }>({});
	const [isBusy, setBusy] = useState(false);
	const [first, setFirst] = useState<SignIn | null>(null);
	const form = useRef<HTMLFormElement>(null);
	const isForPassword = useRef(false);

	const begin = async (by: SignIn) => {
		setBusy(true);
		try {
			const session = await signIn(by);
			if (isForPassword.current) go("/account", true);
			setSession(session);
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			setBusy(false);
			if (error.problem?.error === "CODE_NEEDED") {
				setWrong({});
				setFirst(by);
				return;
			}
			setWrong({ all: error.wait_s > 0 ? t("login.limited", length(error.wait_s)) : error.message });
			form.current?.querySelector("input")?.focus();
		}
	};
	useEffect(() => {
		const taken = takeLink();
		isForPassword.current = taken?.isForPassword ?? false;
		if (taken) void begin({ link: taken.link });
	}, []);
	/* Alone, or as the second step of what was typed. */
	const passkey = async (by: SignIn | null) => {
		if (isBusy) return;
		setBusy(true);
		setWrong({});
		try {
			const signed = await signWithPasskey();
			if (signed) return void begin(by ? { ...by, ...signed } : signed);
			setWrong({ all: t("login.passkey-left") });
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			setWrong({ all: error.wait_s > 0 ? t("login.limited", length(error.wait_s)) : error.message });
		}
		setBusy(false);
	};
	const submit = (event: Event) => {
		event.preventDefault();
		const missing = {
			mail: /^\S+@\S+$/.test(mail.trim()) ? undefined : t("login.mail-wrong"),
			password: password ? undefined : t("login.password-wrong"),
		};
		setWrong(missing);
		if (missing.mail || missing.password) form.current?.querySelectorAll("input")[missing.mail ? 0 : 1]?.focus();
		else if (!isBusy) void begin({ mail: mail.trim(), password });
	};
	return (
		<div class="narrow stack">
			<Title text={t("login.title")} />
			{wrong.all && <Notice tone="bad" title={wrong.all} />}
			{first ? (
				<CodeForm begin={(code) => void begin({ ...first, code })} isBusy={isBusy} passkey={() => void passkey(first)} />
			) : (
				<form class="paper" ref={form} onSubmit={submit} noValidate>
					<Field label={t("login.mail")} type="email" autocomplete="username" maxLength={254} value={mail} set={setMail} wrong={wrong.mail} />
					<Field label={t("login.password")} type="password" autocomplete="current-password" maxLength={1024} value={password} set={setPassword} wrong={wrong.password} />
					<button class="first" aria-disabled={isBusy}>
						{isBusy ? t("button.busy") : t("login.begin")}
					</button>
					{knowsPasskeys() && (
						<>
							<p class="soft">{t("login.or")}</p>
							<button type="button" onClick={() => void passkey(null)}>
								{t("login.passkey")}
							</button>
						</>
					)}
					<p>
						<a href="/forgotten">{t("login.forgotten")}</a>
					</p>
				</form>
			)}
		</div>
	);
}
