/* What was tested from outside, name by name, as a visitor and a CA come by it. */
import type { PageCheck, SitePage } from "gen/api";
import { Copy } from "../components/copy";
import { moment } from "../dates";
import { both, causeTitle, t, type Key } from "../words";

const TESTS: Record<PageCheck["test"], Key> = { dns: "check.dns", caa: "check.caa", connect: "check.connect", challenge: "check.challenge", served: "check.served" };
const RESULTS: Record<PageCheck["result"], [string, string, Key]> = {
	ok: ["yes", "✓", "check.ok"],
	warn: ["warn", "▲", "check.warn"],
	fail: ["no", "✕", "check.fail"],
	unknown: ["soft", "–", "check.unknown"],
};

function Result({ check }: { check: PageCheck }) {
	const [look, sign, words] = RESULTS[check.result];
	return (
		<>
			<span class={look}>
				<span aria-hidden="true">{sign} </span>
				{t(words)}
			</span>
			{check.cause && <div>{causeTitle(check.cause, check.name)}</div>}
			{both(check.seen) && <div class="soft">{t("check.seen", both(check.seen))}</div>}
			{both(check.wanted) && <div class="soft">{t("check.wanted", both(check.wanted))}</div>}
		</>
	);
}

export function Checks({ page }: { page: SitePage }) {
	const names = [...new Set(page.checks.map((check) => check.name))];
	return (
		<section class="paper" aria-labelledby="checks">
			<h2 id="checks">{t("check.title")}</h2>
			<p class="soft">{t(page.site.checked_at ? "check.intro" : "check.never", page.site.checked_at ? moment(page.site.checked_at) : "")}</p>
			{names.map((name) => (
				<table key={name} class="cards checks">
					<caption>{name}</caption>
					<tbody>
						{page.checks
							.filter((check) => check.name === name)
							.map((check) => (
								<tr key={check.test}>
									<th scope="row">{t(TESTS[check.test])}</th>
									<td>
										<Result check={check} />
										{/* Of another look than the rest: then it has a date of its own. */}
										{check.at && page.site.checked_at && moment(check.at) !== moment(page.site.checked_at) && <div class="soft">{moment(check.at)}</div>}
									</td>
								</tr>
							))}
					</tbody>
				</table>
			))}
			<p class="row">
				{t("check.addresses")}{" "}
				{page.addresses.map((address) => (
					<span key={address} class="row">
						<code>{address}</code>
						<Copy value={address} what={t("check.address")} />
					</span>
				))}
			</p>
		</section>
	);
}
