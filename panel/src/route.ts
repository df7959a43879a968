/* Addresses of pages. A link is an ordinary link: opened in another tab, reloaded or kept, it shows the same. */
import { useEffect, useState } from "preact/hooks";

export type Route = { path: string; parts: string[]; query: URLSearchParams };

function read(): Route {
	const parts = location.pathname.split("/").filter(Boolean);
	return {
		path: location.pathname,
		parts: parts.map((part) => {
			try {
				return decodeURIComponent(part);
			} catch {
				return part;
			}
		}),
		query: new URLSearchParams(location.search),
	};
}

let moved: () => void = () => undefined;

export function go(href: string, isReplaced = false): void {
	if (isReplaced) history.replaceState(null, "", href);
	else {
		history.pushState(null, "", href);
		scrollTo(0, 0);
	}
	moved();
}

export function useRoute(): Route {
	const [route, setRoute] = useState(read);
	useEffect(() => {
		moved = () => setRoute(read());
		const follow = (event: MouseEvent) => {
			const link = (event.target as Element).closest?.("a");
			const isOurs = link && link.origin === location.origin && !link.target && !link.download && !link.getAttribute("href")?.startsWith("#");
			if (!isOurs || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.defaultPrevented) return;
			event.preventDefault();
			go(link.pathname + link.search + link.hash);
		};
		addEventListener("popstate", moved);
		document.addEventListener("click", follow);
		return () => {
			removeEventListener("popstate", moved);
			document.removeEventListener("click", follow);
		};
	}, []);
	return route;
}
