/* What a screen shows while there is nothing to show: waiting, failed, empty. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Failure } from "../api";
import type { Loaded } from "../load";
import { t } from "../words";
import { Mark, type Tone } from "./state";

export function Title({ text, children }: { text: string; children?: ComponentChildren }) {
	useEffect(() => {
		document.title = `${text} - koshin`;
	}, [text]);
	return (
		<div class="head">
			<h1 tabIndex={-1}>{text}</h1>
			{children}
		</div>
	);
}

export function Notice({ tone, title, children }: { tone: Tone; title: string; children?: ComponentChildren }) {
	return (
		<div class={`notice is-${tone}`} role={tone === "bad" ? "alert" : "status"}>
			<strong class="row">
				<Mark tone={tone} />
				{title}
			</strong>
			{children}
		</div>
	);
}

export function Failed({ failure, again }: { failure: Failure; again: () => void }) {
	return (
		<Notice tone={failure.isOffline ? "idle" : "bad"} title={failure.isOffline ? t("failure.offline") : failure.message}>
			<p>{t(failure.isOffline ? "failure.offline-next" : failure.status >= 500 ? "failure.ours" : "failure.theirs")}</p>
			<div>
				<button type="button" onClick={again}>
					{t("failure.again")}
				</button>
			</div>
		</Notice>
	);
}

/** The value when there is one; with a line above it when it could not be read anew. */
export function Screen<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
	if (of.value === null) {
		if (of.failure) return <Failed failure={of.failure} again={of.again} />;
		return (
			<div class="wait" role="status">
				<span class="soft">{t("screen.loading")}</span>
				<i />
				<i />
			</div>
		);
	}
	return (
		<>
			{of.failure && <Failed failure={of.failure} again={of.again} />}
			{children(of.value)}
		</>
	);
}
