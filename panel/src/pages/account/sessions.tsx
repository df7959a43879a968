/* Where the person is signed in; each can be ended. */
import type { SessionList } from "gen/api";
import { at, call } from "../../api";
import { ActButton } from "../../components/button";
import { Screen } from "../../components/screen";
import { moment } from "../../dates";
import { useLoad } from "../../load";
import { t, type Key } from "../../words";

/** A browser in words: what it says of itself is long, and says "Mozilla" of all. */
function browserOf(agent: string): string {
	const kinds: Array<[RegExp, Key]> = [
		[/Edg\//, "browser.edge"],
		[/OPR\//, "browser.opera"],
		[/Firefox\/|FxiOS/, "browser.firefox"],
		[/Chrome\/|CriOS/, "browser.chrome"],
		[/Safari\//, "browser.safari"],
	];
	const systems: Array<[RegExp, Key]> = [
		[/iPhone|iPad/, "system.ios"],
		[/Android/, "system.android"],
		[/Windows/, "system.windows"],
		[/Mac OS X/, "system.mac"],
		[/Linux/, "system.linux"],
	];
	const found = [kinds, systems].map((list) => list.find(([pattern]) => pattern.test(agent))?.[1]).filter((key) => key !== undefined);
	return found.length > 0 ? found.map((key) => t(key)).join(", ") : agent || t("browser.other");
}

export function Sessions() {
	const sessions = useLoad<SessionList>("/sessions");
	return (
		<section class="paper" aria-labelledby="sessions">
			<h2 id="sessions">{t("account.sessions")}</h2>
			<p class="soft">{t("account.sessions-more")}</p>
			<Screen of={sessions}>
				{(value) => (
					<ul class="rows">
						{value.sessions.map((line) => (
							<li key={line.id}>
								<div>
									<strong>{browserOf(line.agent)}</strong>
									<p class="soft">
										{line.used_at && t("account.used-at", moment(line.used_at))} {line.address && t("account.address", line.address)}
									</p>
								</div>
								{line.is_this ? (
									<span class="pill is-ok">{t("account.this")}</span>
								) : (
									<ActButton act={() => call<SessionList>("DELETE", at("sessions", line.id)).then(sessions.set)}>{t("account.stop")}</ActButton>
								)}
							</li>
						))}
					</ul>
				)}
			</Screen>
		</section>
	);
}
