/* The status page, for everybody: what concerns many customers at once, now and of late. */
import type { Incident, Status } from "gen/api";
import { Notice, Screen, Title } from "../components/screen";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { both, lang, t } from "../words";

function Lasting({ one }: { one: Incident }) {
	return (
		<Notice tone="act" title={both(one.title)}>
			{one.began && <p>{t("status.since", withDistance(one.began))}</p>}
			<p class="prose">{both(one.text)}</p>
		</Notice>
	);
}

function Past({ past }: { past: Incident[] }) {
	return (
		<section class="paper" aria-labelledby="past">
			<h2 id="past">{t("status.past")}</h2>
			{past.length === 0 ? (
				<p class="soft">{t("status.past-none")}</p>
			) : (
				<ol class="time">
					{past.map((one) => (
						<li key={one.id} id={`incident-${one.id}`}>
							<time dateTime={one.began ?? undefined}>{one.began && moment(one.began)}</time>
							<div>
								<div>{both(one.title)}</div>
								<div class="soft">{one.ended && t("status.ended", moment(one.ended))}</div>
								<div class="soft">{both(one.text)}</div>
							</div>
						</li>
					))}
				</ol>
			)}
		</section>
	);
}

export function StatusPage() {
	const status = useLoad<Status>("/status");
	return (
		<>
			<Title text={t("status.title")} />
			<Screen of={status}>
				{(value) => (
					<>
						{value.state === "well" && (
							<Notice tone="ok" title={t("status.well")}>
								<p>{t("status.well-more")}</p>
							</Notice>
						)}
						{value.incidents
							.filter((one) => !one.ended)
							.map((one) => (
								<Lasting key={one.id} one={one} />
							))}
						<Past past={value.incidents.filter((one) => one.ended)} />
					</>
				)}
			</Screen>
			<p class="soft">
				{t("status.own-site")} <a href="/sites">{t("status.to-sites")}</a>
			</p>
			<p>
				<a href={`/api/v1/status/feed?lang=${lang()}`} type="application/atom+xml" download="koshin-status.atom">
					{t("status.feed")}
				</a>
			</p>
		</>
	);
}
