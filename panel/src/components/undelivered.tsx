/* Letters that did not arrive: told to whoever signs in for their owner, until each was read. */
import type { Letter, LetterList } from "gen/api";
import { at, call } from "../api";
import { moment } from "../dates";
import { useLoad } from "../load";
import { t } from "../words";
import { ActButton } from "./button";
import { Notice } from "./screen";

const FEW = 3;

function Row({ letter, read }: { letter: Letter; read: () => Promise<unknown> }) {
	return (
		<li class="stack">
			<details>
				<summary>{letter.subject}</summary>
				<p class="soft">
					{letter.created && moment(letter.created)} {t("letters.not-sent", letter.to)} {t("letters.bounced", letter.bounce || letter.error)}
				</p>
				<pre>{letter.body}</pre>
			</details>
			<ActButton act={read}>
				{t("undelivered.read")}
				<span class="hidden"> {letter.subject}</span>
			</ActButton>
		</li>
	);
}

export function Undelivered() {
	const letters = useLoad<LetterList>("/letters/lost");
	const rows = letters.value?.letters ?? [];
	if (rows.length === 0) return null;
	return (
		<Notice tone="act" title={t("undelivered.title")}>
			<p>
				{t("undelivered.what")} <a href="/account">{t("undelivered.account")}</a>
			</p>
			<ul class="rows">
				{rows.slice(0, FEW).map((letter) => (
					<Row key={letter.id} letter={letter} read={() => call<LetterList>("POST", at("letters", letter.id, "read")).then(letters.set)} />
				))}
			</ul>
			{rows.length > FEW && <p class="soft">{t("undelivered.more", rows.length - FEW)}</p>}
		</Notice>
	);
}
