/* Who else looks after the same sites: people, and those who are invited. */
import type { Invitation, InvitationList, Person, PersonList } from "gen/api";
import { useState } from "preact/hooks";
import { at, call } from "../../api";
import { Choices, Field } from "../../components/field";
import { Form } from "../../components/form";
import { Notice, Screen } from "../../components/screen";
import { SureButton } from "../../components/sure";
import { day } from "../../dates";
import { useLoad } from "../../load";
import { judge, line, most, plain, wrongMail } from "../../rules";
import { useSubmit } from "../../submit";
import { lang, t, type Lang } from "../../words";

const NAME_MAX = 100;

function Invite({ sent, cancel }: { sent: (mail: string) => void; cancel: () => void }) {
	const [mail, setMail] = useState("");
	const [name, setName] = useState("");
	const [to, setTo] = useState<Lang>(lang());
	const form = useSubmit();
	const submit = () => {
		const typed = plain(mail);
		const invite = () => call<Invitation>("POST", "/invitations", { mail: typed, name: name.trim(), lang: to }).then(() => sent(typed));
		void form.run(invite, { mail: wrongMail(mail), name: judge(name, most(NAME_MAX), line) });
	};
	const languages: Lang[] = ["ja", "en"];
	return (
		<Form form={form} submit={submit} button={t("people.send")} cancel={cancel}>
			<Field label={t("people.mail")} type="email" autocomplete="off" value={mail} set={setMail} wrong={form.wrong.mail} />
			<Field label={t("people.name")} autocomplete="off" value={name} set={setName} wrong={form.wrong.name} />
			<Choices legend={t("people.lang")}>
				{languages.map((code) => (
					<label key={code} lang={code}>
						<input type="radio" name="invitation-language" checked={to === code} onChange={() => setTo(code)} />
						{t(code === "ja" ? "frame.to-ja" : "frame.to-en")}
					</label>
				))}
			</Choices>
		</Form>
	);
}

export function People({ mine }: { mine: string }) {
	const people = useLoad<PersonList>("/people");
	const invitations = useLoad<InvitationList>("/invitations");
	const [isOpen, setOpen] = useState(false);
	const [sent, setSent] = useState("");
	const remove = (person: Person) => call<Person>("DELETE", at("people", person.mail)).then(people.again);
	const take = (mail: string) => {
		setSent(mail);
		setOpen(false);
		invitations.again();
	};
	return (
		<section class="paper" aria-labelledby="people">
			<h2 id="people">{t("people.title")}</h2>
			<p class="soft">{t("people.more")}</p>
			{sent && (
				<Notice tone="ok" title={t("people.sent", sent)}>
					<p>{t("people.sent-more")}</p>
				</Notice>
			)}
			<Screen of={people}>
				{(value) => (
					<ul class="rows">
						{value.people.map((person) => (
							<li key={person.mail}>
								<div>
									<strong>{person.name || person.mail}</strong> {person.mail === mine && <span class="soft">{t("people.you")}</span>}
									{person.name && <p class="soft">{person.mail}</p>}
								</div>
								{person.mail !== mine && <SureButton words={t("people.remove")} consequence={t("people.remove-more", person.name || person.mail)} act={() => remove(person)} />}
							</li>
						))}
					</ul>
				)}
			</Screen>
			<Screen of={invitations}>
				{(value) =>
					value.invitations.length > 0 && (
						<>
							<h3>{t("people.invited")}</h3>
							<ul class="rows">
								{value.invitations.map((one) => (
									<li key={one.id}>
										<div>
											<strong>{one.mail}</strong>
											<p class="soft">{one.ends_at && t("people.until", day(one.ends_at))}</p>
										</div>
										<SureButton
											words={t("people.withdraw")}
											consequence={t("people.withdraw-more")}
											act={() => call<InvitationList>("DELETE", at("invitations", one.id)).then(invitations.set)}
										/>
									</li>
								))}
							</ul>
						</>
					)
				}
			</Screen>
			{isOpen ? (
				<Invite sent={take} cancel={() => setOpen(false)} />
			) : (
				<div>
					<button type="button" onClick={() => setOpen(true)}>
						{t("people.invite")}
					</button>
				</div>
			)}
		</section>
	);
}
