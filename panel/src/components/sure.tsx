/* A button for what cannot be taken back: the first press says what will be, the second does it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../words";
import { ActButton } from "./button";

export function SureButton({ act, words, consequence }: { act: () => Promise<unknown>; words: string; consequence: string }) {
	const [isAsked, setAsked] = useState(false);
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (isAsked) box.current?.querySelector("button")?.focus();
	}, [isAsked]);
	if (!isAsked)
		return (
			<button type="button" class="small" onClick={() => setAsked(true)}>
				{words}
			</button>
		);
	return (
		<div class="stack" ref={box}>
			<p>{consequence}</p>
			<div class="row">
				<ActButton act={act}>{words}</ActButton>
				<button type="button" class="plain" onClick={() => setAsked(false)}>
					{t("button.cancel")}
				</button>
			</div>
		</div>
	);
}
