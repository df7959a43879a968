/* From the planned future through now into the past: what comes next stands on top. */
import type { PageEvent } from "gen/api";
import { useState } from "preact/hooks";
import { moment, withDistance } from "../dates";
import { both, t } from "../words";

const FEW = 8;

export function Timeline({ timeline }: { timeline: PageEvent[] }) {
	const [showsAll, setShowsAll] = useState(false);
	const plan = timeline.filter((event) => event.planned).reverse();
	const past = timeline.filter((event) => !event.planned).reverse();
	return (
		<section class="paper" aria-labelledby="timeline">
			<h2 id="timeline">{t("timeline.title")}</h2>
			<ol class="time">
				{plan.map((event, i) => (
					<li key={`plan ${i}`}>
						<time dateTime={event.at ?? undefined}>{event.at && withDistance(event.at)}</time>
						<span class="planned">{both(event.text)}</span>
					</li>
				))}
				<li class="turn">{t("timeline.now", moment(new Date().toISOString()))}</li>
				{past.slice(0, showsAll ? undefined : FEW).map((event, i) => (
					<li key={`past ${past.length - i}`}>
						<time dateTime={event.at ?? undefined}>{event.at && moment(event.at)}</time>
						<span>{both(event.text)}</span>
					</li>
				))}
			</ol>
			{past.length > FEW && !showsAll && (
				<div>
					<button type="button" class="small" onClick={() => setShowsAll(true)}>
						{t("timeline.more", past.length - FEW)}
					</button>
				</div>
			)}
		</section>
	);
}
