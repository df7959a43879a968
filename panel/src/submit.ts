/* A form on its way: under way, and what went wrong in words for its reader. */
import { useState } from "preact/hooks";
import { Failure } from "./api";
import { length } from "./dates";
import { t } from "./words";

export function useSubmit() {
	const [isBusy, setBusy] = useState(false);
	const [failure, setFailure] = useState("");
	/** True when it went well. */
	const run = async (act: () => Promise<unknown>): Promise<boolean> => {
		if (isBusy) return false;
		setBusy(true);
		setFailure("");
		try {
			await act();
			return true;
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			setFailure(error.wait_s > 0 ? t("login.limited", length(error.wait_s)) : error.message);
			return false;
		} finally {
			setBusy(false);
		}
	};
	return { isBusy, failure, run };
}
