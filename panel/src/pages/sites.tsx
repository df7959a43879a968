/* The list: who needs the owner comes first, and each site has exactly one thing to press. */
import type { SiteList, SiteRow } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, get, Failure, query } from "../api";
import { Field } from "../components/field";
import { Form } from "../components/form";
import { Failed, Screen, Title } from "../components/screen";
import { Pill } from "../components/state";
import { Undelivered } from "../components/undelivered";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { go, type Route } from "../route";
import { judge, line, most } from "../rules";
import type { Role } from "../session";
import { useSubmit } from "../submit";
import { both, causeTitle, pairOf, t, type Key } from "../words";

const ROWS = 50;
const SEARCH_MAX = 253;
const SHOWS = ["", "urgent", "owner", "progress", "fine"] as const;
const SHOW_WORDS: Record<(typeof SHOWS)[number], Key> = { "": "sites.all", urgent: "sites.urgent", owner: "sites.owner", progress: "sites.progress", fine: "sites.fine" };

const needsOwner = (row: SiteRow) => ["owner", "domain-company", "web-owner"].includes(row.acts) && row.state !== "off" && row.state !== "moved";

function about(row: SiteRow): string {
	if (row.state === "off") return t("sites.off");
	if (row.title && row.state !== "ok") return both(row.title);
	if (row.until) return t("sites.until", withDistance(row.until));
	return row.next_look ? t("sites.next-look", moment(row.next_look)) : "";
}

export function SiteLine({ row, role }: { row: SiteRow; role: Role }) {
	const href = at("sites", row.ascii);
	const isOwner = role === "owner";
	const isUrgent = isOwner && needsOwner(row);
	return (
		<li>
			<div class="row">
				<a class="name" href={href}>
					{row.name}
				</a>
				{/* What needs "you" needs somebody else where it is read by us. */}
				<Pill state={row.state} text={row.state === "act" && !isOwner ? pairOf("sites.owner-of") : row.pill} />
			</div>
			<div class="soft">
				{about(row)}
				{!isOwner && <> · {row.owner}</>}
			</div>
			<div class="end">
				<a class={`button${isUrgent || row.state === "off" ? " first" : ""}`} href={href}>
					{t(row.state === "off" ? "sites.set-up" : isUrgent ? "sites.mend" : "sites.open")}
					<span class="hidden"> {row.name}</span>
				</a>
			</div>
		</li>
	);
}

function useMore(path: string, first: SiteList | null) {
	const [more, setMore] = useState<SiteList[]>([]);
	const [failure, setFailure] = useState<Failure | null>(null);
	useEffect(() => setMore([]), [path, first]);
	const after = more.length ? more[more.length - 1]?.after : first?.after;
	const next = () =>
		get<SiteList>(path + (path.includes("?") ? "&" : "?") + `after=${encodeURIComponent(after ?? "")}`).then(
			(page) => {
				setFailure(null);
				setMore((before) => [...before, page]);
			},
			(error: unknown) => {
				if (!(error instanceof Failure)) throw error;
				setFailure(error);
			},
		);
	return { rows: more.flatMap((page) => page.sites), after, next, failure };
}

export function SitesPage({ route, role }: { route: Route; role: Role }) {
	const search = route.query.get("search") ?? "";
	const show = SHOWS.find((word) => word === route.query.get("show")) ?? "";
	const cause = route.query.get("cause");
	const [typed, setTyped] = useState(search);
	const form = useSubmit();
	const path = "/sites" + query({ limit: ROWS, search, show, cause });
	const list = useLoad<SiteList>(path);
	const more = useMore(path, list.value);
	const isPlain = !search && !show && !cause;
	const hurry = useLoad<SiteList>(isPlain ? "/sites" + query({ limit: ROWS, show: "urgent" }) : null);
	const to = (values: { search?: string; show?: string }) => go("/sites" + query({ search, show, ...values }), true);
	const only = isPlain && role === "owner" && list.value?.sites.length === 1 ? list.value.sites[0] : null;

	// One site only: its page is the home page.
	useEffect(() => {
		if (only) go(at("sites", only.ascii), true);
	}, [only?.ascii]);
	return (
		<>
			<Title text={t("sites.title")} />
			{role === "owner" && !only && <Undelivered />}
			<Form
				form={form}
				look="search"
				button={t("sites.search-now")}
				submit={() => void form.run(async () => to({ search: typed.trim() }), { search: judge(typed, most(SEARCH_MAX), line) })}
			>
				<Field label={t("sites.search")} type="search" value={typed} set={setTyped} wrong={form.wrong.search} />
			</Form>
			<div class="filters" role="group" aria-label={t("sites.filters")}>
				{SHOWS.map((word) => (
					<button key={word} type="button" class="small" aria-pressed={show === word} onClick={() => to({ show: word })}>
						{t(word === "owner" && role !== "owner" ? "sites.owner-of" : SHOW_WORDS[word])}
					</button>
				))}
			</div>
			{cause && (
				<p class="soft">
					{t("sites.with-cause", causeTitle(cause, "…"))} <a href="/sites">{t("sites.all")}</a>
				</p>
			)}
			<Screen of={list}>
				{(value) => {
					const rows = [...value.sites, ...more.rows];
					/* Where visitors are warned stands first, whoever acts; then what is about to be, then what the owner can mend. */
					const first = isPlain ? [...(hurry.value?.sites ?? []), ...rows.filter(needsOwner)] : [];
					const seen = new Set<number>();
					const sorted = [...first, ...rows].filter((row) => !seen.has(row.id) && seen.add(row.id));
					if (rows.length === 0) return <p class="paper">{t(isPlain ? "sites.none" : "sites.none-found")}</p>;
					return (
						<>
							<ul class="sites">
								{sorted.map((row) => (
									<SiteLine key={row.id} row={row} role={role} />
								))}
							</ul>
							{more.failure && <Failed failure={more.failure} again={more.next} />}
							{more.after && (
								<div>
									<button type="button" onClick={more.next}>
										{t("sites.more")}
									</button>
								</div>
							)}
						</>
					);
				}}
			</Screen>
		</>
	);
}
