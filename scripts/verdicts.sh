# shellcheck shell=bash disable=SC2154
# verdicts.sh - sourced by check and gpu: runs commands, one line for each, and says at the end what failed.
#
#   run NAME COMMAND...   exit 0 passes, 77 skips; the output is kept in BUILD/checks/NAME.log
#   finish                ends the script: 0 unless something failed

passed=0 failed=() skipped=()

# run NAME COMMAND...: one line with the verdict, the time and the last line of the output; all of it after a failure.
run() {
    local name=$1 log=$BUILD/checks/${1//[ \/]/_}.log start=$EPOCHREALTIME verdict status
    shift
    "$@" >"$log" 2>&1
    status=$?
    case $status in
    0) verdict=PASS passed=$((passed + 1)) ;;
    77) verdict=SKIP skipped+=("$name") ;;
    *) verdict=FAIL failed+=("$name") ;;
    esac
    local seconds
    seconds=$(awk -v a="${start/,/.}" -v b="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%.1f", b - a }')
    if [ $verdict = FAIL ]; then tail -n 60 "$log" | sed 's/^/    /'; fi
    grep '^skipped ' "$log" | sed 's/^/    /'
    printf '%s %-22s %7s s  %s\n' $verdict "$name" "$seconds" "$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | cut -c 1-300)"
    return $((status != 0 && status != 77))
}

finish() {
    if [ ${#skipped[@]} -gt 0 ]; then echo "skipped: ${skipped[*]}"; fi
    if [ ${#failed[@]} -gt 0 ]; then echo "FAILED: ${failed[*]}"; exit 1; fi
    echo "all $passed checks passed in $((SECONDS / 60)) min $((SECONDS % 60)) s"
    exit 0
}
