/* Support's first page: open questions with their cause, oldest first; and one question with an answer that is already drafted. */
import type { Question, QuestionList, SiteList } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, call, Failure, get, query } from "../api";
import { ActButton } from "../components/button";
import { Field } from "../components/field";
import { Form } from "../components/form";
import { Screen, Title } from "../components/screen";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { go, type Route } from "../route";
import { judge, lines, most, needed, TEXT_MAX } from "../rules";
import { useSubmit } from "../submit";
import { causeTitle, t } from "../words";
import { SiteLine } from "./sites";

const URGENT = 5;

/** About the name that had it. */
const titleOfCause = (row: Pick<Question, "cause" | "about" | "site">) => (row.cause ? causeTitle(row.cause, row.about ?? row.site ?? "") : "");

/** Who asks on the page of a site writes no subject: then it is the cause that stood there. */
const titleOf = (row: Pick<Question, "subject" | "cause" | "about" | "site">) => row.subject || (row.cause ? titleOfCause(row) : row.site ? t("inbox.about", row.site) : t("inbox.no-subject"));

/** Sites that somebody has to look at although nobody asked: visitors are warned, or the certificate was not renewed shortly before its end. */
function Urgent() {
	const list = useLoad<SiteList>("/sites" + query({ show: "urgent", limit: URGENT }));
	const rows = list.value?.sites ?? [];
	if (rows.length === 0) return null;
	return (
		<section class="paper" aria-labelledby="late">
			<h2 id="late">{t("late.title")}</h2>
			<ul class="sites">
				{rows.map((row) => (
					<SiteLine key={row.id} row={row} role="support" />
				))}
			</ul>
			{list.value?.after && (
				<p>
					<a href="/sites?show=urgent">{t("late.all")}</a>
				</p>
			)}
		</section>
	);
}

export function InboxPage({ route }: { route: Route }) {
	const isAll = route.query.get("state") === "all";
	const list = useLoad<QuestionList>("/questions" + query({ state: isAll ? "all" : "open", after: route.query.get("after") }));
	return (
		<>
			<Title text={t("inbox.title")} />
			<Urgent />
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
											{titleOf(row)}
										</a>
										<div class="soft">
											{row.site ?? t("inbox.no-site")} · {row.writer} · {row.open_since ? withDistance(row.open_since) : t("ask.answered")}
											{row.cause && row.subject && <> · {titleOfCause(row)}</>}
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

const lastOf = (question: Question | null): number => question?.messages.at(-1)?.id ?? 0;

export function QuestionPage({ id }: { id: string }) {
	const question = useLoad<Question>(at("questions", id));
	const [text, setText] = useState<string | null>(null);
	const form = useSubmit();
	const drafted = question.value?.drafted;
	useEffect(() => {
		if (drafted !== undefined) setText((typed) => typed ?? drafted);
	}, [drafted]);
	/* What was there when the answer was begun: sent again after no answer came, it is the same request, and not sent twice. */
	const [seen, setSeen] = useState<number | null>(null);
	const read = (fresh: Question) => {
		question.set(fresh);
		setSeen(lastOf(fresh));
	};
	const readAnew = async (error: unknown) => {
		if (error instanceof Failure && error.status === 412) read(await get<Question>(at("questions", id)));
		throw error;
	};
	useEffect(() => {
		if (question.value) setSeen((before) => before ?? lastOf(question.value));
	}, [question.value]);
	const send = async () => {
		const typed = (text ?? "").trim();
		const answer = () => call<Question>("POST", at("questions", id, "answer"), { text: typed, seen: seen ?? lastOf(question.value) }).then(read, readAnew);
		if (await form.run(answer, { text: judge(typed, needed("ask.empty"), most(TEXT_MAX), lines) })) setText("");
	};
	return (
		<Screen of={question}>
			{(value) => (
				<>
					<p>
						<a href="/questions">{t("inbox.back")}</a>
					</p>
					<Title text={titleOf(value)}>
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
					{value.site && (
						<p class="soft">
							{t("inbox.then")} {value.cause ? <strong>{titleOfCause(value)}</strong> : t("inbox.then-nothing")}
						</p>
					)}
					<Form
						form={form}
						submit={send}
						button={t("inbox.send")}
						look="paper"
						isFirst
						beside={value.state === "open" && <ActButton act={() => call<Question>("POST", at("questions", id, "close")).then(question.set)}>{t("inbox.close")}</ActButton>}
					>
						<Field lines isTall label={t("inbox.answer")} hint={value.drafted ? t("inbox.drafted") : undefined} wrong={form.wrong.text} value={text ?? ""} set={setText} />
					</Form>
				</>
			)}
		</Screen>
	);
}
