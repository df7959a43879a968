/* A password that was forgotten: a link is sent. The page says the same whether somebody has the address or not. */
import { useState } from "preact/hooks";
import { call } from "../api";
import { Field } from "../components/field";
import { Form } from "../components/form";
import { Notice, Title } from "../components/screen";
import { plain, wrongMail } from "../rules";
import { useSubmit } from "../submit";
import { t } from "../words";

export function ForgottenPage() {
	const [mail, setMail] = useState("");
	const [sent, setSent] = useState("");
	const form = useSubmit();
	const submit = async () => {
		const typed = plain(mail);
		if (await form.run(() => call("POST", "/password/forgotten", { mail: typed }), { mail: wrongMail(mail) })) setSent(typed);
	};
	return (
		<div class="narrow stack">
			<Title text={t("forgotten.title")} />
			{sent ? (
				<div class="paper">
					<Notice tone="ok" title={t("forgotten.sent")}>
						<p>{t("forgotten.sent-more", sent)}</p>
					</Notice>
					<p class="prose">{t("forgotten.none")}</p>
				</div>
			) : (
				<Form form={form} submit={submit} button={t("forgotten.send")} look="paper" isFirst isFocused>
					<p>{t("forgotten.more")}</p>
					<Field label={t("login.mail")} type="email" autocomplete="username" value={mail} set={setMail} wrong={form.wrong.mail} />
				</Form>
			)}
			<p>
				<a href="/login">{t("forgotten.back")}</a>
			</p>
		</div>
	);
}
