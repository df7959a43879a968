/* A drawing that is merely made smaller is not to be read on a phone: it gets a shape of its own there. */
import { useEffect, useState } from "preact/hooks";

const NARROW = window.matchMedia("(max-width: 600px)"); // as in components.css

export function useNarrow(): boolean {
	const [isNarrow, setNarrow] = useState(NARROW.matches);
	useEffect(() => {
		const look = () => setNarrow(NARROW.matches);
		look();
		NARROW.addEventListener("change", look);
		return () => NARROW.removeEventListener("change", look);
	}, []);
	return isNarrow;
}
