/* A certificate on its way, as steps with real times. Everything follows from the site as it is: a page opened in the middle shows the same. */
import type { PageEvent, Site } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { Mark } from "../components/state";
import { length } from "../dates";
import { t, type Key } from "../words";

const STEPS: Key[] = ["progress.check", "progress.order", "progress.validate", "progress.receive", "progress.deploy", "progress.verify"];

/** The step that is going on; none: nothing is. */
export function stepOf(site: Site): number | null {
	switch (site.doing) {
		case "check":
			// With a certificate at hand, what is looked at is what visitors receive.
			return site.certificate ? 5 : 0;
		case "order":
			return { intent: 1, placed: 2, finalized: 3, received: 3, failed: 1 }[site.order?.phase ?? "intent"];
		case "deploy":
			// Before there is a certificate, the server is made ready to be looked at.
			return site.certificate ? 4 : 0;
		case "verify":
			return 5;
		case "nothing":
			return null;
	}
}

function useNow(isRunning: boolean): number {
	const [now, setNow] = useState(Date.now());
	useEffect(() => {
		if (!isRunning) return;
		const timer = setInterval(() => setNow(Date.now()), 1000);
		return () => clearInterval(timer);
	}, [isRunning]);
	return now;
}

/** When this order began, and until when steps have lasted, as far as the history says it. */
function lasted(timeline: PageEvent[], from: string, to: string): string {
	const at = (kind: string) => timeline.filter((event) => event.kind === kind && !event.planned).pop()?.at;
	const begin = at(from);
	const end = at(to);
	if (!begin || !end || end < begin) return "";
	return length(Math.max(1, Math.round((new Date(end).getTime() - new Date(begin).getTime()) / 1000)));
}

export function Progress({ site, timeline }: { site: Site; timeline: PageEvent[] }) {
	const step = stepOf(site);
	const isShown = site.state === "issuing" || site.order !== null;
	const now = useNow(isShown && step !== null);
	if (!isShown) return null;
	// Between two steps the one that comes next is waited for.
	const current = step ?? (site.certificate ? 5 : 0);
	const since = site.doing_since ? Math.max(0, Math.round((now - new Date(site.doing_since).getTime()) / 1000)) : 0;
	return (
		<section class="paper" aria-labelledby="progress">
			<h2 id="progress">{t("progress.title")}</h2>
			<ol class="steps">
				{STEPS.map((key, i) => (
					<li key={key} class={i > current ? "later" : undefined} aria-current={i === current ? "step" : undefined}>
						<span class={i < current ? "yes" : ""}>{i === current ? <span class="is-run"><Mark tone="run" /></span> : <span aria-hidden="true">{i < current ? "✓" : "○"}</span>}</span>
						<span>
							{t(key)}
							<span class="hidden"> {t(i < current ? "progress.done" : i === current ? "progress.running" : "progress.later")}</span>
						</span>
						<span class="soft">{i === current && step !== null ? t("progress.since", length(Math.max(since, 1))) : i === 3 && i < current ? lasted(timeline, "ordered", "issued") : ""}</span>
					</li>
				))}
			</ol>
			<p class="soft">{t("progress.leave")}</p>
		</section>
	);
}
