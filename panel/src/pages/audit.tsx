/* Who did what, when, from where. */
import type { AuditLine, AuditList } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { query } from "../api";
import { Field } from "../components/field";
import { Rows } from "../components/more";
import { Screen, Title } from "../components/screen";
import { moment } from "../dates";
import { useLoad } from "../load";
import { useMore } from "../more";
import { go, type Route } from "../route";
import { hasText, t } from "../words";

const ROWS = 50;

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
	return (
		<form
			class="search"
			role="search"
			onSubmit={(event) => {
				event.preventDefault();
				go("/audit" + query({ who: who.trim(), object: object.trim(), action: action.trim() }), true);
			}}
		>
			<Field label={t("audit.who")} maxLength={254} value={who} set={setWho} />
			<Field label={t("audit.object")} maxLength={1024} value={object} set={setObject} />
			<Field label={t("audit.action")} maxLength={64} value={action} set={setAction} />
			<button>{t("audit.look")}</button>
		</form>
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
