/* A field of a form: its name, what is wrong and how to put it right, beside it. What was typed stays. */
import type { JSX } from "preact";
import { useId } from "preact/hooks";

type Props = {
	label: string;
	hint?: string;
	wrong?: string;
	value: string;
	set: (value: string) => void;
	lines?: boolean;
	/** For a text that is there already and wants to be read whole */
	isTall?: boolean;
} & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "value" | "onInput" | "label" | "id">;

export function Field({ label, hint, wrong, value, set, lines, isTall, ...rest }: Props) {
	const id = useId();
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
				<textarea {...common} class={isTall ? "tall" : undefined} maxLength={Number(rest.maxLength)} onInput={(event) => set(event.currentTarget.value)} />
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
