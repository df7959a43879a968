/* Passkeys: made with the password, named, and taken away again. */
import type { Passkey, PasskeyList, Session } from "gen/api";
import { useState } from "preact/hooks";
import { at, call } from "../../api";
import { Field } from "../../components/field";
import { Form } from "../../components/form";
import { Notice, Screen } from "../../components/screen";
import { day, moment } from "../../dates";
import { useLoad } from "../../load";
import { knowsPasskeys, makePasskey } from "../../passkey";
import { judge, line, most, needed, wrongPassword } from "../../rules";
import { useSubmit } from "../../submit";
import { t } from "../../words";
import { OwnPassword } from "./password";

type Step = { is: "rest" } | { is: "new" } | { is: "end"; passkey: Passkey };
const NAME_MAX = 100;

type Done = (passkeys: PasskeyList) => void;

function New({ asks, done, cancel }: { asks: boolean; done: Done; cancel: () => void }) {
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const [isLeft, setLeft] = useState(false);
	const form = useSubmit();
	const submit = () => {
		const wrongs = { name: judge(name, needed("passkeys.name-missing"), most(NAME_MAX), line), password: asks ? wrongPassword(password, "login.password-wrong") : undefined };
		const make = async () => {
			const made = await makePasskey(name.trim(), asks ? password : undefined);
			if (made) done(made);
			else setLeft(true);
		};
		setLeft(false);
		void form.run(make, wrongs, { DENIED: "password" });
	};
	return (
		<Form form={form} submit={submit} button={t("passkeys.make")} cancel={cancel}>
			{isLeft && <Notice tone="idle" title={t("passkeys.left")} />}
			<Field label={t("passkeys.name")} hint={t("passkeys.name-hint")} value={name} set={setName} wrong={form.wrong.name} />
			{asks && <OwnPassword value={password} set={setPassword} wrong={form.wrong.password} />}
		</Form>
	);
}

function End({ passkey, asks, done, cancel }: { passkey: Passkey; asks: boolean; done: Done; cancel: () => void }) {
	const [password, setPassword] = useState("");
	const form = useSubmit();
	const submit = () => {
		const wrongs = { password: asks ? wrongPassword(password, "login.password-wrong") : undefined };
		void form.run(() => call<PasskeyList>("POST", at("passkeys", passkey.id, "removal"), asks ? { password } : {}).then(done), wrongs, { DENIED: "password" });
	};
	return (
		<>
			<p>{t("passkeys.end-more", passkey.name)}</p>
			<Form form={form} submit={submit} button={t("passkeys.end")} cancel={cancel}>
				{asks && <OwnPassword value={password} set={setPassword} wrong={form.wrong.password} />}
			</Form>
		</>
	);
}

export function Passkeys({ session }: { session: Session }) {
	const passkeys = useLoad<PasskeyList>("/passkeys");
	const [step, setStep] = useState<Step>({ is: "rest" });
	const asks = !session.may_set_password;
	const rest = () => setStep({ is: "rest" });
	const done = (value: PasskeyList) => {
		passkeys.set(value);
		rest();
	};
	return (
		<section class="paper" aria-labelledby="passkeys">
			<h2 id="passkeys">{t("passkeys.title")}</h2>
			<p class="soft">{t("passkeys.more")}</p>
			<Screen of={passkeys}>
				{(value) => (
					<>
						{value.passkeys.length > 0 && (
							<ul class="rows">
								{value.passkeys.map((passkey) => (
									<li key={passkey.id}>
										<div>
											<strong>{passkey.name}</strong>
											<p class="soft">
												{passkey.created_at && t("passkeys.since", day(passkey.created_at))} {passkey.used_at ? t("tokens.used", moment(passkey.used_at)) : t("tokens.unused")}
											</p>
										</div>
										<button type="button" class="small" onClick={() => setStep({ is: "end", passkey })}>
											{t("passkeys.end")}
										</button>
									</li>
								))}
							</ul>
						)}
						{step.is === "new" && <New asks={asks} done={done} cancel={rest} />}
						{step.is === "end" && <End key={step.passkey.id} passkey={step.passkey} asks={asks} done={done} cancel={rest} />}
						{step.is === "rest" &&
							(!value.is_possible ? (
								<p class="soft">{t("passkeys.impossible")}</p>
							) : !knowsPasskeys() ? (
								<p class="soft">{t("passkeys.unknown")}</p>
							) : (
								<div>
									<button type="button" onClick={() => setStep({ is: "new" })}>
										{t("passkeys.new")}
									</button>
								</div>
							))}
					</>
				)}
			</Screen>
		</section>
	);
}
