/* What happens, while it happens: server-sent events. The browser comes back by itself, and Last-Event-ID makes up what it missed. */
import { useEffect, useState } from "preact/hooks";

/**
 * Calls back at every event until the component is gone; whether the line is up. A page that nobody sees has no line: browsers open six at most to a
 * host over HTTP/1.1, and keep pages that were left for the way back. What came meanwhile is loaded when it is seen again (load.ts).
 */
export function useLive(path: string, onEvent: (kind: "history" | "site", data: unknown) => void): boolean {
	const [isUp, setUp] = useState(true);
	useEffect(() => {
		let source: EventSource | null = null;
		const close = () => {
			source?.close();
			source = null;
		};
		const look = () => {
			if (document.visibilityState !== "visible") return close();
			if (source) return;
			source = new EventSource(`/api/v1${path}`);
			for (const kind of ["history", "site"] as const)
				source.addEventListener(kind, (event) => onEvent(kind, JSON.parse((event as MessageEvent<string>).data)));
			source.onopen = () => setUp(true);
			source.onerror = () => setUp(false);
		};
		look();
		document.addEventListener("visibilitychange", look);
		addEventListener("pagehide", close);
		addEventListener("pageshow", look);
		return () => {
			document.removeEventListener("visibilitychange", look);
			removeEventListener("pagehide", close);
			removeEventListener("pageshow", look);
			close();
		};
	}, [path]);
	return isUp;
}
