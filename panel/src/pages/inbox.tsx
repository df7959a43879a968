/* Support's first page: open questions with their cause, oldest first; and one question with an answer that is already drafted. */
import type { Question, QuestionList } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, call, Failure, query } from "../api";
import { ActButton } from "../components/button";
import { Field } from "../components/field";
import { Screen, Title } from "../components/screen";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { go, type Route } from "../route";
import { causeTitle, t } from "../words";

export function InboxPage({ route }: { route: Route }) {
	const isAll = route.query.get("state") === "all";
	const list = useLoad<QuestionList>("/questions" + query({ state: isAll ? "all" : "open", after: route.query.get("after") }));
	return (
		<>
			<Title text={t("inbox.title")} />
			<div class="filters" role="group" aria-label={t("inbox.filters")}>
				{[false, true].map((all) => (
					<button key={String(all)} type="button" class="small" aria-pressed={isAll === all} onClick={() => go("/questions" + query({ state: all ? "all" : null }), true)}>
						{t(all ? "inbox.all" : "inbox.open")}
					</button>
				))}
			</div>
			<Screen of={list}>
				{(value) =>
					value.questions.length === 0 ? (
						<p class="paper">{t("inbox.none")}</p>
					) : (
						<>
							<ul class="sites">
								{value.questions.map((row) => (
									<li key={row.id}>
										<a class="name" href={at("questions", row.id)}>
											{row.subject || t("inbox.no-subject")}
										</a>
										<div class="soft">
											{row.site ?? t("inbox.no-site")} · {row.writer} · {row.open_since ? withDistance(row.open_since) : t("ask.answered")}
											{row.cause && <> · {causeTitle(row.cause, row.site ?? "")}</>}
										</div>
									</li>
								))}
							</ul>
							{value.after && (
								<p>
									<a href={"/questions" + query({ state: isAll ? "all" : null, after: value.after })}>{t("sites.more")}</a>
								</p>
							)}
						</>
					)
				}
			</Screen>
		</>
	);
}

export function QuestionPage({ id }: { id: string }) {
	const question = useLoad<Question>(at("questions", id));
	const [text, setText] = useState<string | null>(null);
	const [wrong, setWrong] = useState("");
	const drafted = question.value?.drafted;
	useEffect(() => {
		if (drafted !== undefined) setText((typed) => typed ?? drafted);
	}, [drafted]);
	const send = async () => {
		if (!text?.trim()) {
			setWrong(t("ask.empty"));
			return;
		}
		try {
			question.set(await call<Question>("POST", at("questions", id, "answer"), { text: text.trim() }));
			setWrong("");
			setText("");
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			setWrong(error.message);
		}
	};
	return (
		<Screen of={question}>
			{(value) => (
				<>
					<p>
						<a href="/questions">{t("inbox.back")}</a>
					</p>
					<Title text={value.subject || t("inbox.no-subject")}>
						<p>
							{value.writer} {value.site && <a href={at("sites", value.site)}>{value.site}</a>}
						</p>
					</Title>
					{value.messages.map((message) => (
						<article key={message.id} class="paper">
							<p class="soft">
								{message.at && moment(message.at)} · {message.from === "owner" ? t("inbox.owner") : message.by}
							</p>
							<p class="prose">{message.text}</p>
							{message.is_cut && <p class="soft">{t("inbox.cut")}</p>}
						</article>
					))}
					<form class="paper" onSubmit={(event) => event.preventDefault()}>
						<Field lines label={t("inbox.answer")} hint={value.drafted ? t("inbox.drafted") : undefined} wrong={wrong} maxLength={20000} value={text ?? ""} set={setText} />
						<div class="row">
							<ActButton isFirst act={send}>
								{t("inbox.send")}
							</ActButton>
							{value.state === "open" && <ActButton act={() => call<Question>("POST", at("questions", id, "close")).then(question.set)}>{t("inbox.close")}</ActButton>}
						</div>
					</form>
				</>
			)}
		</Screen>
	);
}
