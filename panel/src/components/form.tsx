/* A form with one button: what went wrong stands above it, and the button says that it is under way. */
import type { ComponentChildren } from "preact";
import { t } from "../words";
import { Notice } from "./screen";

type Props = { submit: () => void; isBusy: boolean; failure: string; button: string; isFirst?: boolean; cancel?: () => void; children?: ComponentChildren };

export function Form({ submit, isBusy, failure, button, isFirst, cancel, children }: Props) {
	return (
		<form
			class="stack narrow-left"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				if (!isBusy) submit();
			}}
		>
			{failure && <Notice tone="bad" title={failure} />}
			{children}
			<div class="row">
				<button class={isFirst ? "first" : ""} aria-disabled={isBusy}>
					{isBusy ? t("button.busy") : button}
				</button>
				{cancel && (
					<button type="button" class="plain" onClick={cancel}>
						{t("button.cancel")}
					</button>
				)}
			</div>
		</form>
	);
}
