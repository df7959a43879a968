/* A list that comes in pages: the rows that are there, and how to get the next ones. */
import { useEffect, useState } from "preact/hooks";
import { Failure, get } from "./api";
import type { Loaded } from "./load";

type Page<Row> = { rows: Row[]; before: number | null };
export type More<Row> = { rows: Row[]; hasMore: boolean; next: () => void; failure: Failure | null };

/** take: the rows of an answer, and its cursor. */
export function useMore<Answer, Row>(path: string, first: Loaded<Answer>, take: (answer: Answer) => Page<Row>): More<Row> {
	const [pages, setPages] = useState<Array<Page<Row>>>([]);
	const [failure, setFailure] = useState<Failure | null>(null);
	useEffect(() => setPages([]), [path, first.value]);
	const all = first.value ? [take(first.value), ...pages] : [];
	const before = all.length ? all[all.length - 1]?.before : null;
	const next = () => {
		get<Answer>(`${path}${path.includes("?") ? "&" : "?"}before=${before}`).then(
			(answer) => {
				setFailure(null);
				setPages((kept) => [...kept, take(answer)]);
			},
			(error: unknown) => {
				if (!(error instanceof Failure)) throw error;
				setFailure(error);
			},
		);
	};
	return { rows: all.flatMap((page) => page.rows), hasMore: typeof before === "number", next, failure };
}
