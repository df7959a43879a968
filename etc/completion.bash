# Completion of koshin(8) for bash. test/e2e/test_cli.py holds it against the program's own --help.
_koshin() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' i
	local everywhere="--config --json --lang --verbose --help"
	local commands="serve site renew check causes question user mail cert ca doctor watch vantage config simulate"

	case $before in
	--config | -c | --out | --root | --password-file | --folder)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--lang | --owner-lang) mapfile -t COMPREPLY < <(compgen -W "ja en" -- "$word"); return ;;
	--coverage) mapfile -t COMPREPLY < <(compgen -W "multi single list" -- "$word"); return ;;
	--key-type) mapfile -t COMPREPLY < <(compgen -W "p256 p384 rsa2048 rsa3072 rsa4096" -- "$word"); return ;;
	--source) mapfile -t COMPREPLY < <(compgen -W "free none" -- "$word"); return ;;
	--hsts) mapfile -t COMPREPLY < <(compgen -W "on off" -- "$word"); return ;;
	--redirect)
		# A switch of "site add", a choice of "site set".
		if [[ " ${COMP_WORDS[*]} " == *" set "* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "on off" -- "$word")
			return
		fi
		;;
	--owner | --proxy | --profile | --limit | --after | --names | --listen | --control) return ;;
	esac

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | --lang) ((i++)) ;;
		-*) ;;
		*)
			command="$command ${COMP_WORDS[i]}"
			;;
		esac
	done
	command=${command# }

	local options=''
	case $command in
	"") mapfile -t COMPREPLY < <(compgen -W "$commands $everywhere" -- "$word"); return ;;
	site) mapfile -t COMPREPLY < <(compgen -W "add list show history set suspend resume start-over remove" -- "$word"); return ;;
	cert) mapfile -t COMPREPLY < <(compgen -W "show export check request import revoke" -- "$word"); return ;;
	ca) mapfile -t COMPREPLY < <(compgen -W "add limits list resume rollover test unblock" -- "$word"); return ;;
	user) mapfile -t COMPREPLY < <(compgen -W "add list login-link password remove reset-codes" -- "$word"); return ;;
	question) mapfile -t COMPREPLY < <(compgen -W "answer close list show" -- "$word"); return ;;
	mail) mapfile -t COMPREPLY < <(compgen -W "receive" -- "$word"); return ;;
	vantage) mapfile -t COMPREPLY < <(compgen -W "key test $everywhere" -- "$word"); return ;;
	config) mapfile -t COMPREPLY < <(compgen -W "check" -- "$word"); return ;;
	"site add"*) options="--owner --coverage --root --proxy --key-type --profile --source --redirect --owner-lang --wait" ;;
	"site list"*) options="--show --cause --owner --limit --after" ;;
	"site history"*) options="--limit --letters" ;;
	"site set"*)
		options="--redirect --hsts --coverage --key-type --root --proxy --profile --names --source --takeover --draft --discard-draft"
		options="$options --apply-draft"
		;;
	"site remove"*) options="--yes" ;;
	renew*) options="--due --wait" ;;
	watch*) options="--once" ;;
	check*) options="--visitor" ;;
	"cert check"*) options="--for --out --password-file" ;;
	"cert request"*) options="--organization --locality --state --country --key-type --out --list --discard" ;;
	"cert import"*) options="--password-file --takeover --check --wait" ;;
	"cert revoke"*) options="--reason --yes" ;;
	"site suspend"*) options="--renewals-only" ;;
	"cert export"*) options="--key --p12 --password-file --out" ;;
	"site start-over"*) options="--new-certificate" ;;
	"user add"*) options="--role --owner --name --user-lang" ;;
	"question list"*) options="--all" ;;
	"question answer"*) options="--by" ;;
	causes*) options="--unknown" ;;
	"ca add"*) options="--directory --contact --root --eab-kid --eab-hmac-file" ;;
	simulate*) options="--serve-ca --listen --control --folder --sites --years --seeds --faults --jobs --trace" ;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options $everywhere" -- "$word")
		return
	fi
	case $command in
	"site show" | "site history" | "site set" | "site remove" | renew* | check | "cert show" | "cert export")
		# Names of sites, from the daemon; silently none where it cannot be reached.
		mapfile -t COMPREPLY < <(compgen -W "$(koshin site list --limit 500 --lang en 2>/dev/null |
			awk 'NR > 1 { print $1 }')" -- "$word")
		;;
	causes) mapfile -t COMPREPLY < <(compgen -W "$(koshin causes 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$word") ;;
	simulate*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
}
complete -F _koshin koshin
