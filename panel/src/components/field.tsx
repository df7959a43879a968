/* A field of a form: its name, what is wrong and how to put it right, beside it. What was typed stays, however long it is. */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { useTold } from "./form";

type Props = {
	label: string;
	hint?: string;
	wrong?: string;
	value: string;
	set: (value: string) => void;
	lines?: boolean;
	/** For a text that is there already and wants to be read whole */
	isTall?: boolean;
} & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "value" | "onInput" | "label" | "id" | "maxLength">;

export function Field({ label, hint, wrong, value, set, lines, isTall, ...rest }: Props) {
	const id = useId();
	useTold(id, label, wrong);
	const common = {
		id,
		value,
		"aria-invalid": wrong ? true : undefined,
		"aria-describedby": hint || wrong ? `${id}-more` : undefined,
	};
	return (
		<div class="field">
			<label for={id}>{label}</label>
			{lines ? (
				<textarea {...common} class={isTall ? "tall" : undefined} onInput={(event) => set(event.currentTarget.value)} />
			) : (
				<input {...common} {...rest} onInput={(event) => set(event.currentTarget.value)} />
			)}
			{(hint || wrong) && (
				<span id={`${id}-more`}>
					{hint && <span class="soft">{hint} </span>}
					{wrong && <span class="wrong">{wrong}</span>}
				</span>
			)}
		</div>
	);
}

/** Something that is read and then ticked. */
export function Tick({ name, isOn, set, wrong, children }: { name: string; isOn: boolean; set: (isOn: boolean) => void; wrong?: string; children: string }) {
	const id = useId();
	useTold(id, children, wrong);
	return (
		<div>
			<label class="row">
				<input
					id={id}
					type="checkbox"
					name={name}
					checked={isOn}
					aria-invalid={wrong ? true : undefined}
					aria-describedby={wrong ? `${id}-more` : undefined}
					onChange={(event) => set(event.currentTarget.checked)}
				/>
				<span>{children}</span>
			</label>
			{wrong && (
				<p class="no" id={`${id}-more`}>
					{wrong}
				</p>
			)}
		</div>
	);
}

/** Several of which something is chosen. */
export function Choices({ legend, isHidden, wrong, children }: { legend: string; isHidden?: boolean; wrong?: string; children: ComponentChildren }) {
	const id = useId();
	useTold(id, legend, wrong);
	return (
		<fieldset class="choices" id={id} tabIndex={-1} aria-describedby={wrong ? `${id}-more` : undefined}>
			<legend class={isHidden ? "hidden" : undefined}>{legend}</legend>
			{children}
			{wrong && (
				<p class="no" id={`${id}-more`}>
					{wrong}
				</p>
			)}
		</fieldset>
	);
}
