/* A password that was forgotten: a link is sent. The page says the same whether somebody has the address or not. */
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api";
import { Field } from "../components/field";
import { Notice, Title } from "../components/screen";
import { useSubmit } from "../submit";
import { t } from "../words";

export function ForgottenPage() {
	const [mail, setMail] = useState("");
	const [wrong, setWrong] = useState<string>();
	const [sent, setSent] = useState("");
	const form = useSubmit();
	const box = useRef<HTMLFormElement>(null);
	useEffect(() => box.current?.querySelector("input")?.focus(), []);
	const submit = async (event: Event) => {
		event.preventDefault();
		const typed = mail.trim();
		const isGood = /^\S+@\S+$/.test(typed);
		setWrong(isGood ? undefined : t("login.mail-wrong"));
		if (!isGood) box.current?.querySelector("input")?.focus();
		else if (await form.run(() => call("POST", "/password/forgotten", { mail: typed }))) setSent(typed);
	};
	return (
		<div class="narrow stack">
			<Title text={t("forgotten.title")} />
			{form.failure && <Notice tone="bad" title={form.failure} />}
			{sent ? (
				<div class="paper">
					<Notice tone="ok" title={t("forgotten.sent")}>
						<p>{t("forgotten.sent-more", sent)}</p>
					</Notice>
					<p class="prose">{t("forgotten.none")}</p>
				</div>
			) : (
				<form class="paper" ref={box} onSubmit={submit} noValidate>
					<p>{t("forgotten.more")}</p>
					<Field label={t("login.mail")} type="email" autocomplete="username" maxLength={254} value={mail} set={setMail} wrong={wrong} />
					<button class="first" aria-disabled={form.isBusy}>
						{form.isBusy ? t("button.busy") : t("forgotten.send")}
					</button>
				</form>
			)}
			<p>
				<a href="/login">{t("forgotten.back")}</a>
			</p>
		</div>
	);
}
