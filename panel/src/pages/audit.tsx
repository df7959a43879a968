/* Who did what, when, from where. */
import type { AuditLine, AuditList } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { query } from "../api";
import { Field } from "../components/field";
import { Form } from "../components/form";
import { Rows } from "../components/more";
import { Screen, Title } from "../components/screen";
import { moment } from "../dates";
import { useLoad } from "../load";
import { useMore } from "../more";
import { go, type Route } from "../route";
import { judge, line, most } from "../rules";
import { useSubmit } from "../submit";
import { hasText, t } from "../words";

const ROWS = 50;
const WHO_MAX = 254;
const OBJECT_MAX = 1024;
const ACTION_MAX = 64;

/** An operation in words; one that has none stands for itself. */
function actionOf(line: AuditLine): string {
	const key = `did.${line.action}`;
	return hasText(key) ? t(key) : line.action;
}

function Line({ line }: { line: AuditLine }) {
	return (
		<li>
			<time dateTime={line.at ?? undefined}>{line.at && moment(line.at)}</time>
			<div>
				<div>
					{actionOf(line)} {line.object && <strong>{line.object}</strong>}
				</div>
				<div class="soft">
					{line.who} {line.role && hasText(`role.${line.role}`) && t(`role.${line.role}` as Parameters<typeof t>[0])} · {line.address || t("audit.here")} · <code>{line.action}</code>
				</div>
				{line.detail && (
					<div class="soft">
						<code>{line.detail}</code>
					</div>
				)}
			</div>
		</li>
	);
}

function Filter({ route }: { route: Route }) {
	const given = (word: string) => route.query.get(word) ?? "";
	const [who, setWho] = useState(given("who"));
	const [object, setObject] = useState(given("object"));
	const [action, setAction] = useState(given("action"));
	useEffect(() => {
		setWho(given("who"));
		setObject(given("object"));
		setAction(given("action"));
	}, [route.query.toString()]);
	const form = useSubmit();
	const submit = () =>
		void form.run(async () => go("/audit" + query({ who: who.trim(), object: object.trim(), action: action.trim() }), true), {
			who: judge(who, most(WHO_MAX), line),
			object: judge(object, most(OBJECT_MAX), line),
			action: judge(action, most(ACTION_MAX), line),
		});
	return (
		<Form form={form} submit={submit} button={t("audit.look")} look="search">
			<Field label={t("audit.who")} value={who} set={setWho} wrong={form.wrong.who} />
			<Field label={t("audit.object")} value={object} set={setObject} wrong={form.wrong.object} />
			<Field label={t("audit.action")} value={action} set={setAction} wrong={form.wrong.action} />
		</Form>
	);
}

export function AuditPage({ route }: { route: Route }) {
	const filter = { who: route.query.get("who"), object: route.query.get("object"), action: route.query.get("action") };
	const path = "/audit" + query({ limit: ROWS, ...filter });
	const audit = useLoad<AuditList>(path);
	const more = useMore<AuditList, AuditLine>(path, audit, (page) => ({ rows: page.audit, before: page.before }));
	return (
		<>
			<Title text={t("audit.title")} />
			<Filter route={route} />
			<Screen of={audit}>
				{() => (
					<section class="paper" aria-label={t("audit.title")}>
						<Rows more={more} none={t("audit.none")} row={(line) => <Line key={line.id} line={line} />} />
					</section>
				)}
			</Screen>
		</>
	);
}
