/* The password: set for the first time or anew after a link, or changed with the one before. */
import type { Session } from "gen/api";
import { useState } from "preact/hooks";
import { Field } from "../../components/field";
import { Form } from "../../components/form";
import { Notice } from "../../components/screen";
import { changePassword } from "../../session";
import { judge, mostBytes, PASSWORD_MAX, wrongPassword, type Rule } from "../../rules";
import { useSubmit } from "../../submit";
import { t } from "../../words";

const PASSWORD_MIN = 10;
const isLong: Rule = (value) => ([...value].length < PASSWORD_MIN ? t("account.too-short", PASSWORD_MIN) : undefined);

export function Password({ session, setSession }: { session: Session; setSession: (session: Session) => void }) {
	const [old, setOld] = useState("");
	const [fresh, setFresh] = useState("");
	const [isDone, setDone] = useState(false);
	const [isOpen, setOpen] = useState(session.may_set_password);
	const form = useSubmit();
	const asksOld = !session.may_set_password;
	const submit = async () => {
		const wrongs = { old: asksOld ? wrongPassword(old, "account.old-missing") : undefined, fresh: judge(fresh, isLong, mostBytes(PASSWORD_MAX)) };
		setDone(false);
		if (!(await form.run(() => changePassword(fresh, asksOld ? old : undefined).then(setSession), wrongs, { DENIED: "old", INVALID: "fresh" }))) return;
		setOld("");
		setFresh("");
		setOpen(false);
		setDone(true);
	};
	return (
		<section class="paper" aria-labelledby="password">
			<h2 id="password">{t(session.person.has_password ? "account.password" : "account.password-none")}</h2>
			<p class="soft">{t(asksOld ? "account.password-more" : "account.password-free")}</p>
			{isDone && <Notice tone="ok" title={t("account.password-done")} />}
			{isOpen ? (
				<Form form={form} submit={submit} button={t(session.person.has_password ? "account.change" : "account.set")} isFirst={!asksOld} cancel={asksOld ? () => setOpen(false) : undefined}>
					<input type="hidden" name="username" autocomplete="username" value={session.person.mail} />
					{asksOld && <Field label={t("account.old")} type="password" autocomplete="current-password" value={old} set={setOld} wrong={form.wrong.old} />}
					<Field
						label={t("account.new")}
						hint={t("account.new-hint", PASSWORD_MIN)}
						type="password"
						autocomplete="new-password"
						value={fresh}
						set={setFresh}
						wrong={form.wrong.fresh}
					/>
				</Form>
			) : (
				<div>
					<button type="button" onClick={() => setOpen(true)}>
						{t("account.change")}
					</button>
				</div>
			)}
		</section>
	);
}

/** The password once more, where something about signing in is changed; not for who has just come by a link. */
export function OwnPassword({ value, set, wrong }: { value: string; set: (value: string) => void; wrong?: string }) {
	return <Field label={t("account.password-again")} hint={t("account.password-why")} type="password" autocomplete="current-password" value={value} set={set} wrong={wrong} />;
}
