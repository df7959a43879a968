/* What a page shows, from the API: loading, there, or failed. What was there stays on screen while it is asked for again. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Failure, get } from "./api";

export type Loaded<T> = {
	value: T | null;
	failure: Failure | null;
	again: () => void;
	set: (value: T) => void;
};

export function useLoad<T>(path: string | null): Loaded<T> {
	const [state, setState] = useState<{ path: string | null; value: T | null; failure: Failure | null }>({ path, value: null, failure: null });
	const latest = useRef(0);
	const again = useCallback(() => {
		if (path === null) return;
		const mine = ++latest.current;
		get<T>(path).then(
			(value) => {
				if (mine === latest.current) setState({ path, value, failure: null });
			},
			(failure: unknown) => {
				if (!(failure instanceof Failure)) throw failure;
				if (mine === latest.current) setState((before) => ({ path, value: before.path === path ? before.value : null, failure }));
			},
		);
	}, [path]);
	useEffect(() => {
		again();
		// A browser that was away, asleep or offline may show what is no longer so.
		const look = () => document.visibilityState === "visible" && again();
		addEventListener("online", look);
		document.addEventListener("visibilitychange", look);
		return () => {
			latest.current++;
			removeEventListener("online", look);
			document.removeEventListener("visibilitychange", look);
		};
	}, [again]);
	const set = useCallback((value: T) => {
		latest.current++;
		setState({ path, value, failure: null });
	}, [path]);
	return { value: state.path === path ? state.value : null, failure: state.path === path ? state.failure : null, again, set };
}
