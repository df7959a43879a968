/* Numbered steps in the order of doing, with the values to enter; what is passed as children stands in the last one. */
import type { ComponentChildren } from "preact";
import { blocksOf, type Value } from "../steps_text";
import { t } from "../words";
import { Copy } from "./copy";

/** A record as another company's screen shows it. copy: the whole record; what stands in it can be copied. */
function Record({ values, copy }: { values: Value[]; copy: string }) {
	return (
		<dl class="record">
			{values.map(({ label, value }) => (
				<div key={label}>
					<dt>{label}</dt>
					<dd>
						<code>{value}</code>
						{value.length > 4 && copy.includes(value) && <Copy value={value} what={label} />}
					</dd>
				</div>
			))}
		</dl>
	);
}

/** The same to be done for another name: in what step the values stand, they stand below those of the first. */
export type Also = { name: string; text: string; copy: string };

const valuesOf = (text: string): Value[] => blocksOf(text).flatMap((block) => (block.kind === "steps" ? block.steps.flatMap((step) => step.values) : []));

/** Whether each of the two has values of its own to enter. */
export const differs = (a: string, b: string): boolean => valuesOf(a).length > 0 && JSON.stringify(valuesOf(a)) !== JSON.stringify(valuesOf(b));

export function Todo({ text, copy, also = [], children }: { text: string; copy: string; also?: Also[]; children?: ComponentChildren }) {
	const blocks = blocksOf(text);
	const lastSteps = blocks.map((block) => block.kind).lastIndexOf("steps");
	return (
		<>
			{blocks.map((block, i) =>
				block.kind === "text" ? (
					<p key={i} class="prose">
						{block.text}
					</p>
				) : (
					<ol key={i} class="todo">
						{block.steps.map((step, k) => (
							<li key={k}>
								<div class="prose">{step.text}</div>
								{step.values.length > 0 && <Record values={step.values} copy={copy} />}
								{step.values.length > 0 &&
									also.map((one) => (
										<div key={one.name} class="also">
											<p class="prose">{t("todo.also", one.name)}</p>
											<Record values={valuesOf(one.text)} copy={one.copy} />
										</div>
									))}
								{i === lastSteps && k === block.steps.length - 1 && children}
							</li>
						))}
					</ol>
				),
			)}
			{lastSteps < 0 && children}
		</>
	);
}
