/* Letters as they were sent, and the way to a person. */
import type { Finding, LetterList, Question, QuestionList } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, call } from "../api";
import { Field } from "../components/field";
import { Form } from "../components/form";
import { Notice, Screen } from "../components/screen";
import { moment } from "../dates";
import { useLoad } from "../load";
import { judge, lines, most, needed, TEXT_MAX } from "../rules";
import { useSubmit } from "../submit";
import { both, t } from "../words";

/** Something that people other than us have to mend. */
export const isForPeople = (finding: Finding) => ["owner", "domain-company", "web-owner"].includes(finding.who);

function LetterRows({ name, news }: { name: string; news: number }) {
	const letters = useLoad<LetterList>(at("sites", name, "letters"));
	useEffect(letters.again, [news]);
	return (
		<Screen of={letters}>
			{(value) =>
				value.letters.length === 0 ? (
					<p class="soft">{t("letters.none")}</p>
				) : (
					<>
						{value.letters.map((letter) => (
							<details key={letter.id}>
								<summary>
									{moment(letter.sent_at ?? letter.created ?? "")} {letter.subject}
								</summary>
								<p class="soft">{t(letter.state === "sent" ? "letters.sent" : letter.state === "waiting" ? "letters.waiting" : "letters.not-sent", letter.to)}</p>
								{letter.bounce && <p class="no">{t("letters.bounced", letter.bounce)}</p>}
								<pre>{letter.body}</pre>
							</details>
						))}
					</>
				)
			}
		</Screen>
	);
}

/** Read when it is opened. */
export function Letters({ name, news }: { name: string; news: number }) {
	const [isOpen, setOpen] = useState(false);
	return (
		<details onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary>
				<h2>{t("letters.title")}</h2>
			</summary>
			{isOpen && <LetterRows name={name} news={news} />}
		</details>
	);
}

function Messages({ id, news }: { id: number; news: number }) {
	const question = useLoad<Question>(at("questions", id));
	useEffect(question.again, [news]);
	return (
		<Screen of={question}>
			{(value) => (
				<div class="stack">
					{value.messages.map((message) => (
						<article key={message.id} class="stack">
							<p class="soft">
								{message.at && moment(message.at)} {t(message.from === "owner" ? "ask.from-owner" : "ask.from-support")}
							</p>
							<p class="prose">{message.text}</p>
							{message.is_cut && <p class="soft">{t("inbox.cut")}</p>}
						</article>
					))}
				</div>
			)}
		</Screen>
	);
}

/** What was asked and answered; read when it is opened. */
function Thread({ id, subject, isAnswered, news }: { id: number; subject: string; isAnswered: boolean; news: number }) {
	const [isOpen, setOpen] = useState(false);
	return (
		<details onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary>
				<span>
					{subject || t("ask.question")} <span class={isAnswered ? "yes" : "soft"}>{t(isAnswered ? "ask.answered" : "ask.open")}</span>
				</span>
			</summary>
			{isOpen && <Messages id={id} news={news} />}
		</details>
	);
}

export function Ask({ name, cause, news }: { name: string; cause: Finding | null; news: number }) {
	const questions = useLoad<QuestionList>(at("sites", name, "questions"));
	useEffect(questions.again, [news]);
	const [text, setText] = useState("");
	const [isSent, setSent] = useState(false);
	const form = useSubmit();
	const submit = async () => {
		const typed = text.trim();
		const ask = () => call<Question>("POST", at("sites", name, "questions"), { text: typed });
		if (!(await form.run(ask, { text: judge(typed, needed("ask.empty"), most(TEXT_MAX), lines) }))) return;
		setText("");
		setSent(true);
		questions.again();
	};
	return (
		<section class="paper" id="ask" tabIndex={-1} aria-labelledby="ask-title">
			<h2 id="ask-title">{t("ask.title")}</h2>
			{cause ? (
				<p class="prose">
					{t("ask.known")} <strong>{both(cause.title)}</strong>
					{"\n"}
					{both(cause.next)}
					{isForPeople(cause) && (
						<>
							{" "}
							<a href="#todo">{t("ask.above")}</a>
						</>
					)}
				</p>
			) : (
				<p class="soft">{t("ask.intro")}</p>
			)}
			{isSent && <Notice tone="ok" title={t("ask.sent")} />}
			<Form form={form} submit={submit} button={t("ask.send")} look="wide">
				<Field lines label={t("ask.text")} hint={t("ask.hint")} wrong={form.wrong.text} value={text} set={setText} />
			</Form>
			<Screen of={questions}>
				{(value) =>
					value.questions.length > 0 && (
						<ol class="time">
							{value.questions.map((question) => (
								<li key={question.id}>
									<time dateTime={question.asked_at ?? undefined}>{question.asked_at && moment(question.asked_at)}</time>
									<Thread id={question.id} subject={question.subject} isAnswered={question.state === "answered"} news={news} />
								</li>
							))}
						</ol>
					)
				}
			</Screen>
		</section>
	);
}
