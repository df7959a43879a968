/* Letters that came back or that a mail server did not take. */
import type { LetterTrouble, LetterTroubleList } from "gen/api";
import { at } from "../api";
import { Rows } from "../components/more";
import { Screen } from "../components/screen";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { useMore } from "../more";
import { t, type Key } from "../words";

const PATH = "/letters?limit=20";
const STATES: Record<LetterTrouble["state"], Key> = { bounced: "post.bounced", "given-up": "post.given-up", waiting: "post.waiting" };

function Line({ letter }: { letter: LetterTrouble }) {
	return (
		<li>
			<time dateTime={letter.created ?? undefined}>{letter.created && moment(letter.created)}</time>
			<div>
				<div>
					<span class={letter.state === "waiting" ? "warn" : "no"}>{t(STATES[letter.state])}</span> {letter.subject}
				</div>
				<div class="soft">
					{t("post.to", letter.to)}
					{letter.site && (
						<>
							{" · "}
							<a href={at("sites", letter.site)}>{letter.site}</a>
						</>
					)}
				</div>
				{letter.said && (
					<div class="soft">
						<code>{letter.said}</code>
					</div>
				)}
				{letter.state === "waiting" && letter.next_try && <div class="soft">{t("post.next-try", withDistance(letter.next_try))}</div>}
			</div>
		</li>
	);
}

export function Letters() {
	const letters = useLoad<LetterTroubleList>(PATH);
	const more = useMore<LetterTroubleList, LetterTrouble>(PATH, letters, (page) => ({ rows: page.letters, before: page.before }));
	return (
		<section class="paper" aria-labelledby="post">
			<h2 id="post">{t("post.title")}</h2>
			<Screen of={letters}>
				{() => <Rows more={more} none={t("post.none")} row={(letter) => <Line key={letter.id} letter={letter} />} />}
			</Screen>
		</section>
	);
}
