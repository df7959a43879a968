/* A button that asks the API for something: it says what goes on, and what went wrong, where it stands. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "../api";
import { clock } from "../dates";
import { t } from "../words";

type Props = {
	act: () => Promise<unknown>;
	/** It cannot help now; why stands beside it */
	isOff?: boolean;
	/** Not before: the button says so, and works from then on */
	worksAt?: string | null;
	isFirst?: boolean;
	isPlain?: boolean;
	children: ComponentChildren;
};

export function ActButton({ act, isOff, worksAt, isFirst, isPlain, children }: Props) {
	const [isBusy, setBusy] = useState(false);
	const [failure, setFailure] = useState<Failure | null>(null);
	const [, setNow] = useState(0);
	const wait_ms = worksAt ? new Date(worksAt).getTime() - Date.now() : 0;
	useEffect(() => {
		if (wait_ms <= 0) return;
		const timer = setTimeout(() => setNow(Date.now()), Math.min(wait_ms + 50, 2 ** 31 - 1));
		return () => clearTimeout(timer);
	}, [worksAt]);
	const isWaiting = wait_ms > 0;
	const press = async () => {
		if (isBusy || isWaiting || isOff) return;
		setBusy(true);
		setFailure(null);
		try {
			await act();
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			setFailure(error);
		} finally {
			setBusy(false);
		}
	};
	return (
		<div class="stack">
			<div class="row">
				<button type="button" class={isFirst ? "first" : isPlain ? "plain" : ""} aria-disabled={isBusy || isWaiting || isOff === true} onClick={press}>
					{children}
				</button>
				<span class="soft" role="status">
					{isBusy ? t("button.busy") : isWaiting && worksAt ? t("button.works-at", clock(worksAt)) : ""}
				</span>
			</div>
			{failure && (
				<p class="no" role="alert">
					{failure.message}
				</p>
			)}
		</div>
	);
}
