/* The rows of a list that comes in pages, and the button for the next ones. */
import type { ComponentChildren } from "preact";
import type { More } from "../more";
import { t } from "../words";
import { Failed } from "./screen";

export function Rows<Row>({ more, none, row }: { more: More<Row>; none: string; row: (one: Row) => ComponentChildren }) {
	if (more.rows.length === 0) return <p class="soft">{none}</p>;
	return (
		<>
			<ol class="time">{more.rows.map(row)}</ol>
			{more.failure && <Failed failure={more.failure} again={more.next} />}
			{more.hasMore && (
				<div>
					<button type="button" onClick={more.next}>
						{t("list.more")}
					</button>
				</div>
			)}
		</>
	);
}
