/** What words/ says of a cause, as the build writes it. */
import type { Text } from "gen/api";

export type CauseHelp = { acts: string; title: Text; visitors: Text; cause: Text; action: Text; next: Text };
