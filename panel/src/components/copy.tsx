/* One button copies one value, and says which. */
import { useEffect, useState } from "preact/hooks";
import { t } from "../words";

export function Copy({ value, what }: { value: string; what: string }) {
	const [done, setDone] = useState<"" | "copied" | "failed">("");
	useEffect(() => {
		if (!done) return;
		const timer = setTimeout(() => setDone(""), 3000);
		return () => clearTimeout(timer);
	}, [done]);
	const copy = () =>
		navigator.clipboard
			? navigator.clipboard.writeText(value).then(
					() => setDone("copied"),
					() => setDone("failed"),
				)
			: setDone("failed");
	return (
		<>
			<button type="button" class="small" onClick={copy} aria-label={t("copy.what", what)}>
				{done === "copied" ? t("copy.done") : t("copy.value")}
			</button>
			<span class="soft" role="status">
				{done === "copied" ? t("copy.done-what", what) : done === "failed" ? t("copy.failed") : ""}
			</span>
		</>
	);
}
