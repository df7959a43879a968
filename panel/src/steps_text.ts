/*
 * The shape that words/ gives to what somebody has to do: "1. text" is a step, an indented line goes on what stands above it, and in a
 * step "label: value" is a value to enter. Letters have the same shape (words/html.c).
 */
export type Value = { label: string; value: string };
export type Step = { text: string; values: Value[] };
export type Block = { kind: "text"; text: string } | { kind: "steps"; steps: Step[] };

export function blocksOf(text: string): Block[] {
	const blocks: Block[] = [];
	for (const line of text.split("\n")) {
		const last = blocks[blocks.length - 1];
		const step = /^\d{1,2}\. (.*)$/.exec(line);
		if (step) {
			const one: Step = { text: step[1] ?? "", values: [] };
			if (last?.kind === "steps") last.steps.push(one);
			else blocks.push({ kind: "steps", steps: [one] });
		} else if (line.startsWith("  ") && last?.kind === "steps") {
			const above = last.steps[last.steps.length - 1];
			const pair = /^ +([^:]{1,40}): (.*)$/.exec(line);
			if (pair) above?.values.push({ label: pair[1] ?? "", value: pair[2] ?? "" });
			else if (above) above.text += "\n" + line.trim();
		} else if (line.trim()) {
			if (last?.kind === "text") last.text += "\n" + line.trim();
			else blocks.push({ kind: "text", text: line.trim() });
		}
	}
	return blocks;
}
