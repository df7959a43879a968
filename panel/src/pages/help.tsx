/* One page for each cause. Who is signed in and comes from a site sees its own values; everybody else reads it with plain words in their place. */
import { causes } from "gen/help_words";
import type { SitePage } from "gen/api";
import { at } from "../api";
import { Screen, Title } from "../components/screen";
import { Todo } from "../components/todo";
import { useLoad } from "../load";
import { both, causeTitle, t, type Key } from "../words";

const EXAMPLE = "example.jp";
/** What stands for a value that only a site has; the others are left out together with their brackets. */
const PLAIN: Record<string, Key> = { company: "help.company", copy: "help.value", wanted: "help.value", host: "help.host", type: "help.type", time: "help.time", date: "help.date" };

function fill(text: string): string {
	return text.replace(/[((]\{seen\}[))]/g, "").replace(/\{(\w+)\}/g, (_, word: string) => {
		const key = PLAIN[word];
		return word === "name" ? EXAMPLE : key ? t(key) : t("help.other");
	});
}

function Own({ id, site }: { id: string; site: string }) {
	const page = useLoad<SitePage>(at("sites", site, "page"));
	return (
		<Screen of={page}>
			{(value) => {
				const finding = value.site.names.flatMap((name) => name.findings).find((one) => one.cause === id);
				if (!finding) return <p class="paper">{t("help.gone", value.site.name)}</p>;
				return (
					<section class="paper ask" aria-labelledby="own">
						<h2 id="own">{both(finding.title)}</h2>
						<Todo text={both(finding.action)} copy={finding.action.copy} />
						<p>
							<a href={at("sites", value.site.ascii)}>{t("help.to-site", value.site.name)}</a>
						</p>
					</section>
				);
			}}
		</Screen>
	);
}

function Index() {
	return (
		<>
			<Title text={t("help.title")} />
			<p>{t("help.intro")}</p>
			<ul class="stack">
				{Object.keys(causes)
					.filter((id) => causes[id]?.acts !== "HOST" && causes[id]?.acts !== "NOBODY")
					.map((id) => (
						<li key={id}>
							<a href={at("help", id)}>{causeTitle(id, EXAMPLE)}</a>
						</li>
					))}
			</ul>
		</>
	);
}

export function HelpPage({ id, site }: { id: string | undefined; site: string | null }) {
	const help = id ? causes[id] : undefined;
	if (!id || !help) return <Index />;
	return (
		<>
			<p>
				<a href="/help">{t("help.all")}</a>
			</p>
			<Title text={fill(both(help.title))} />
			{site && <Own id={id} site={site} />}
			<section class="paper">
				<h2>{t("help.visitors")}</h2>
				<p class="prose">{fill(both(help.visitors))}</p>
				<h2>{t("help.cause")}</h2>
				<p class="prose">{fill(both(help.cause))}</p>
				<h2>{t("help.action")}</h2>
				<Todo text={fill(both(help.action))} copy="" />
				<h2>{t("help.next")}</h2>
				<p class="prose">{fill(both(help.next))}</p>
			</section>
			<p class="soft">{t("help.no-delete")}</p>
		</>
	);
}
