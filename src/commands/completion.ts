import { buildCommand } from "@stricli/core";
import type { Context } from "./context.ts";

/** The shells that piko completes for. */
const SHELLS = ["bash", "zsh", "fish"] as const;

/** What each of them is told. All ask `piko complete`, which knows what can stand where. */
const SCRIPTS: Readonly<Record<typeof SHELLS[number], string>> = {
  bash: `# Completion of piko for bash. In ~/.bashrc: eval "$(piko completion bash)"
_piko() {
  local reply
  COMPREPLY=()
  while IFS= read -r reply; do
    COMPREPLY+=("$reply")
  done < <(command piko complete bash -- "$2" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  case "\${#COMPREPLY[@]} \${COMPREPLY[0]-}" in
    "1 "*/) compopt -o nospace 2>/dev/null ;;
    "0 "*) [[ " \${COMP_LINE:0:COMP_POINT} " == *" -- "* ]] && compopt -o default 2>/dev/null ;;
  esac
}
complete -F _piko piko`,
  zsh: `#compdef piko
# Completion of piko for zsh. In ~/.zshrc, behind compinit: eval "$(piko completion zsh)"
_piko() {
  local line value
  local -a entries folders
  for line in "\${(@f)$(command piko complete zsh -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
    value=\${line%%$'\\t'*}
    [[ -n $value ]] || continue
    if [[ $value == */ ]]; then
      folders+=("$value")
    else
      entries+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  if (( \${#entries} + \${#folders} == 0 )); then
    (( \${words[(I)--]} > 0 && \${words[(I)--]} < CURRENT )) && _files
    return
  fi
  (( \${#folders} )) && compadd -Q -S '' -- "\${(@q)folders}"
  (( \${#entries} )) && _describe -V piko entries
}
if [[ \${funcstack[1]} == _piko ]]; then
  _piko "$@"
elif (( \${+functions[compdef]} )); then
  compdef _piko piko
fi`,
  fish: `# Completion of piko for fish. In ~/.config/fish/config.fish: piko completion fish | source
function __piko_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set typed (string unescape -- "$typed")
    command piko complete fish -- $words[2..-1] "$typed" 2>/dev/null
end
complete -c piko -e
complete -c piko -f -k -a '(__piko_complete)'
complete -c piko -n 'contains -- -- (commandline -opc)' -F`,
};

export const command = buildCommand({
  docs: {
    brief: "Print a script that completes piko's words in a shell",
    fullDescription: [
      "Print a script that has a shell complete commands, options, environments, services and branches by Tab.",
      "",
      '  eval "$(piko completion bash)"           in ~/.bashrc',
      '  eval "$(piko completion zsh)"            in ~/.zshrc, behind compinit',
      "  piko completion fish | source            in ~/.config/fish/config.fish",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "bash, zsh or fish",
        parse: (text: string): typeof SHELLS[number] => {
          const shell = SHELLS.find((known) => known === text);
          if (shell === undefined) throw new SyntaxError(`must be one of ${SHELLS.join(", ")}`);
          return shell;
        },
        placeholder: "SHELL",
      }],
    },
  },
  func(this: Context, _flags: Record<never, never>, shell: typeof SHELLS[number]) {
    this.output.answer(SCRIPTS[shell]);
  },
});
