/* One-time codes: begun with the password, confirmed by a first code, then recovery codes, once. */
import type { Codes, CodesSecret, RecoveryCodes, Session } from "gen/api";
import { useState } from "preact/hooks";
import { call } from "../../api";
import { Copy } from "../../components/copy";
import { Field } from "../../components/field";
import { Form } from "../../components/form";
import { Notice, Screen } from "../../components/screen";
import { day } from "../../dates";
import { useLoad } from "../../load";
import { plainCode, wrongCode, wrongPassword } from "../../rules";
import { useSubmit } from "../../submit";
import { t } from "../../words";
import { OwnPassword } from "./password";

type Step = { is: "rest" } | { is: "begin" } | { is: "scan"; secret: CodesSecret } | { is: "keep"; codes: string[] } | { is: "renew" } | { is: "end" };

/** Groups of four are typed without losing one's place. */
const grouped = (secret: string): string => secret.replace(/(.{4})(?=.)/g, "$1 ");

function Begin({ asks, next, cancel }: { asks: boolean; next: (secret: CodesSecret) => void; cancel: () => void }) {
	const [password, setPassword] = useState("");
	const form = useSubmit();
	const submit = () =>
		void form.run(() => call<CodesSecret>("POST", "/codes", asks ? { password } : {}).then(next), { password: asks ? wrongPassword(password, "login.password-wrong") : undefined }, { DENIED: "password" });
	return (
		<Form form={form} submit={submit} button={t("codes.begin-go")} cancel={cancel}>
			{asks && <OwnPassword value={password} set={setPassword} wrong={form.wrong.password} />}
		</Form>
	);
}

/** Asks for a code, and does something with it. */
function WithCode({ button, hint, act, cancel }: { button: string; hint: string; act: (code: string) => Promise<unknown>; cancel: () => void }) {
	const [code, setCode] = useState("");
	const form = useSubmit();
	const submit = () => void form.run(() => act(plainCode(code)), { code: wrongCode(code) }, { DENIED: "code" });
	return (
		<Form form={form} submit={submit} button={button} cancel={cancel}>
			<Field label={t("login.code")} hint={hint} autocomplete="one-time-code" inputMode="numeric" value={code} set={setCode} wrong={form.wrong.code} />
		</Form>
	);
}

function Scan({ secret, next, cancel }: { secret: CodesSecret; next: (codes: string[]) => void; cancel: () => void }) {
	return (
		<ol class="todo">
			<li>{t("codes.step-app")}</li>
			<li>
				<div class="stack">
					{t("codes.step-scan")}
					<img class="qr" src={`data:image/svg+xml;utf8,${encodeURIComponent(secret.qr)}`} alt={t("codes.qr")} width="200" height="200" />
					<p class="soft">{t("codes.step-type")}</p>
					<div class="row">
						<code>{grouped(secret.secret)}</code>
						<Copy value={secret.secret} what={t("codes.key")} />
					</div>
				</div>
			</li>
			<li>
				<div class="stack">
					{t("codes.step-code")}
					<WithCode button={t("codes.confirm")} hint={t("codes.six")} act={(code) => call<RecoveryCodes>("PUT", "/codes", { code }).then((made) => next(made.recovery_codes))} cancel={cancel} />
				</div>
			</li>
		</ol>
	);
}

function Keep({ codes, done }: { codes: string[]; done: () => void }) {
	return (
		<div class="stack printed">
			<Notice tone="act" title={t("codes.keep")}>
				<p class="prose">{t("codes.keep-more")}</p>
			</Notice>
			<ul class="codes">
				{codes.map((code) => (
					<li key={code}>
						<code>{code}</code>
					</li>
				))}
			</ul>
			<div class="row">
				<Copy value={codes.join("\n")} what={t("codes.recovery")} />
				<button type="button" class="small" onClick={() => print()}>
					{t("codes.print")}
				</button>
			</div>
			<div>
				<button type="button" class="first" onClick={done}>
					{t("codes.kept")}
				</button>
			</div>
		</div>
	);
}

function On({ codes, to }: { codes: Codes; to: (step: Step) => void }) {
	return (
		<>
			<p>
				<span class="yes">{t("codes.on")}</span> {codes.since && t("codes.since", day(codes.since))}
			</p>
			<p class={codes.recovery_left < 3 ? "warn" : "soft"}>{t("codes.left", codes.recovery_left)}</p>
			<div class="row">
				<button type="button" onClick={() => to({ is: "renew" })}>
					{t("codes.renew")}
				</button>
				<button type="button" class="plain" onClick={() => to({ is: "end" })}>
					{t("codes.end")}
				</button>
			</div>
		</>
	);
}

export function OneTimeCodes({ session }: { session: Session }) {
	const codes = useLoad<Codes>("/codes");
	const [step, setStep] = useState<Step>({ is: "rest" });
	const rest = () => setStep({ is: "rest" });
	const keep = (list: string[]) => setStep({ is: "keep", codes: list });
	const kept = () => {
		rest();
		codes.again();
	};
	return (
		<section class="paper" aria-labelledby="codes">
			<h2 id="codes">{t("codes.title")}</h2>
			<Screen of={codes}>
				{(value) => (
					<>
						{step.is !== "keep" && <p class="prose soft">{t("codes.more")}</p>}
						{step.is === "rest" && value.is_on && <On codes={value} to={setStep} />}
						{step.is === "rest" && !value.is_on && (
							<div>
								<button type="button" onClick={() => setStep({ is: "begin" })}>
									{t("codes.begin")}
								</button>
							</div>
						)}
						{step.is === "begin" && <Begin asks={!session.may_set_password} next={(secret) => setStep({ is: "scan", secret })} cancel={rest} />}
						{step.is === "scan" && <Scan secret={step.secret} next={keep} cancel={rest} />}
						{step.is === "keep" && <Keep codes={step.codes} done={kept} />}
						{step.is === "renew" && (
							<>
								<p>{t("codes.renew-more")}</p>
								<WithCode
									button={t("codes.renew")}
									hint={t("login.code-hint")}
									act={(code) => call<RecoveryCodes>("POST", "/codes/recovery", { code }).then((made) => keep(made.recovery_codes))}
									cancel={rest}
								/>
							</>
						)}
						{step.is === "end" && (
							<>
								<p>{t("codes.end-more")}</p>
								<WithCode
									button={t("codes.end")}
									hint={t("login.code-hint")}
									act={(code) =>
										call<Codes>("POST", "/codes/removal", { code }).then((state) => {
											codes.set(state);
											rest();
										})
									}
									cancel={rest}
								/>
							</>
						)}
					</>
				)}
			</Screen>
		</section>
	);
}
