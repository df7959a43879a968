/* A form on its way: what is wrong with what was typed, under way, and what went wrong in words for its reader. */
import { useState } from "preact/hooks";
import { Failure } from "./api";
import { length } from "./dates";
import { t } from "./words";

/** What is wrong with a field, by its name */
export type Wrongs = Record<string, string | undefined>;
/** The field that an answer of the API is about, by the answer's word */
export type Blames = Record<string, string>;
export type Submit = ReturnType<typeof useSubmit>;

export function useSubmit() {
	const [isBusy, setBusy] = useState(false);
	const [failure, setFailure] = useState("");
	const [wrong, setWrong] = useState<Wrongs>({});
	const [refusals, setRefusals] = useState(0);
	const refuse = (wrongs: Wrongs) => {
		setWrong(wrongs);
		setRefusals((n) => n + 1);
	};
	/** True when it went well. What has something wrong is not sent. */
	const run = async (act: () => Promise<unknown>, wrongs: Wrongs = {}, blames: Blames = {}): Promise<boolean> => {
		if (isBusy) return false;
		setFailure("");
		if (Object.values(wrongs).some(Boolean)) {
			refuse(wrongs);
			return false;
		}
		setWrong({});
		setBusy(true);
		try {
			await act();
			return true;
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			const field = error.wait_s > 0 ? undefined : blames[error.problem?.error ?? ""];
			if (field) refuse({ [field]: error.message });
			else setFailure(error.wait_s > 0 ? t("login.limited", length(error.wait_s)) : error.message);
			return false;
		} finally {
			setBusy(false);
		}
	};
	return { isBusy, failure, wrong, refusals, run };
}
