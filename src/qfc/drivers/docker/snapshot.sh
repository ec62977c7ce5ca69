# Prints everything that a status needs of one deployment's containers, in parts that begin with "@".
# Arguments: their common label, the deployment's folder, the query for the depth of the queue or "".
# It calls the engine twice, besides the query to the database, and reads the rest from the kernel.
LC_ALL=C
export LC_ALL
label=$1 folder=$2 query=$3

depth() {
    [ -n "$query" ] || return 0
    for id in $(docker ps -q --filter "label=$label" --filter label=com.docker.compose.service=db 2>/dev/null); do
        # The server's own psql, over its own socket: it needs no password and no open port.
        # shellcheck disable=SC2016
        answer=$(docker exec --env PGOPTIONS='-c statement_timeout=5000' "$id" sh -c \
            'exec psql -XqAt -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}" -c "$1"' \
            sh "$query" 2>/dev/null) && echo "@depth $answer"
    done
}

# Prints the resources of a process's control group: nanoseconds of processor time; the second time also bytes of memory
# and kills for lack of memory. The shell reads everything itself: starting a program for each file would take longer.
use() {
    cpu='' memory='' kills='' unified='' accounting='' limits=''
    [ -r "/proc/$1/cgroup" ] || return 0
    while IFS=: read -r number names path; do
        case $number:$names in
        0:) unified=$path ;;
        *:*cpuacct*) accounting=$path ;;
        *:memory) limits=$path ;;
        esac
    done <"/proc/$1/cgroup"
    if [ -n "$limits" ]; then
        place=/sys/fs/cgroup/memory$limits
        read -r cpu <"/sys/fs/cgroup/cpuacct$accounting/cpuacct.usage"
        usage=memory.usage_in_bytes idle_name=total_inactive_file events=memory.oom_control
    else
        place=/sys/fs/cgroup$unified
        read -r _ cpu <"$place/cpu.stat" && cpu=${cpu}000
        usage=memory.current idle_name=inactive_file events=memory.events
    fi
    if [ "$2" = last ]; then
        read -r memory <"$place/$usage"
        # As in `docker stats`: memory that the kernel can drop at once is not counted.
        idle=$(sed -n "s/^$idle_name //p" "$place/memory.stat")
        [ "${idle:-0}" -ge "${memory:-0}" ] || memory=$((memory - idle))
        while read -r name value; do
            [ "$name" != oom_kill ] || kills=$value
        done <"$place/$events"
    fi
    read -r now _ </proc/uptime
    echo "@use $1 $now ${cpu:--} ${memory:--} ${kills:--}"
} 2>/dev/null

# Prints the unfinished operation in the journal.
interrupted() {
    operation=$(sed -n 's/^ *"operation": "\([a-z ]*\)".*/\1/p' "$folder/.qfc/journal.json" 2>/dev/null)
    echo "${operation:-deploy}"
}

# Prints everything except the depth, then the depth, which arrives on standard input.
snapshot() {
    echo "@time $(date +%s)"
    ids=$(docker ps -aq --no-trunc --filter "label=$label") || exit
    if [ -n "$ids" ]; then
        # If a container vanishes meanwhile, inspect fails for it and prints the others.
        # shellcheck disable=SC2086
        all=$(docker inspect --type container --format '{{.State.Pid}} {{json .}}' $ids 2>/dev/null)
        printf '@containers\n%s\n' "$all"
    fi
    pids=$(printf '%s\n' "$all" | sed -n 's/^\([1-9][0-9]*\) .*/\1/p')
    for pid in $pids; do use "$pid" first; done
    (sleep 0.05 2>/dev/null || sleep 1) &
    # The engine's own folder is the one with its containers' files.
    root=$(printf '%s\n' "$all" | sed -n '/ResolvConfPath/{ s|.*"ResolvConfPath":"\([^"]*\)/containers/.*|\1|p; q; }')
    df -Pk "$folder" "${root:-/var/lib/docker}" / 2>/dev/null | sed '1d; s/^/@disk /' | sort -u
    cksum "$folder"/.env "$folder"/*.yml "$folder"/*.yaml 2>/dev/null | sed 's/^/@file /'
    printf '%s\n' "$all" | sed -n 's/.*"com\.docker\.compose\.project\.environment_file":"\([^"]*\)".*/\1/p' |
        tr ',' '\n' | sort -u | while IFS= read -r path; do cksum "$path"; done 2>/dev/null | sed 's/^/@named /'
    if [ -e "$folder/.qfc/journal.json" ] || [ -e "$folder/.qfc/deploy.json" ]; then
        # While another operator holds the lock, the operation still runs.
        ( flock -n 9 && echo "@interrupted $(interrupted)" ) 9>>"$folder/.qfc/lock.mutex"
    fi 2>/dev/null
    cat
    wait
    for pid in $pids; do use "$pid" last; done
}

# The database takes longest: it is queried while everything else is read.
depth | snapshot
