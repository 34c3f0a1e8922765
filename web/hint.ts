/** Finds the command in a hint, so that it can be copied: hints are a command, or a sentence with one in it. */

/** Words that begin a command. */
const PROGRAM = "(?:piko|git|docker|tmux|sudo|systemctl|journalctl|lsof|kill|export|npm|" +
  "chmod|cp|df|diff|file|ls|lsattr|mkdir|mv|rm|rmdir|umount) ";

/** Words that a sentence goes on with behind a command: `piko up auth shows why`. */
const GOES_ON =
  "(?:leaves|shows|prints|starts|lists|tells|makes|opens|finishes|says|finds|removes|and|or|to|then|when|with)\\b";

/** A piece of a command; what is quoted is one, whatever it holds. */
const PIECE = `\\\\.|'[^']*'|"[^"]*"|[^;,\\n]`;

const COMMAND = new RegExp(`(?:^|: )(${PROGRAM}(?:(?! ${GOES_ON})(?:${PIECE}))+)([;,]?.*)$`, "s");

/** Cuts a hint into what stands before its command, the command, and what follows; without one it is all before. */
export function cutHint(hint: string): { before: string; command: string; after: string } {
  const match = COMMAND.exec(hint);
  if (match === null) return { before: capital(hint), command: "", after: "" };
  const [, command = "", after = ""] = match;
  const before = hint.slice(0, match.index);
  return {
    before: before === "" ? "" : capital(`${before}:`),
    command: command.trim(),
    after: after.trim(),
  };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
