/* What happens, while it happens: server-sent events. The browser comes back by itself, and Last-Event-ID makes up what it missed. */
import { useEffect, useState } from "preact/hooks";

/** Calls back at every event until the component is gone; whether the line is up. */
export function useLive(path: string, onEvent: (kind: "history" | "site", data: unknown) => void): boolean {
	const [isUp, setUp] = useState(true);
	useEffect(() => {
		const source = new EventSource(`/api/v1${path}`);
		for (const kind of ["history", "site"] as const)
			source.addEventListener(kind, (event) => onEvent(kind, JSON.parse((event as MessageEvent<string>).data)));
		source.onopen = () => setUp(true);
		source.onerror = () => setUp(false);
		return () => source.close();
	}, [path]);
	return isUp;
}
