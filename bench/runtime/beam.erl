%% The BEAM's side of `npm run bench -- runtime`: `erl ... -run beam main CASE` measures one case and prints its figure.
-module(beam).
-behaviour(gen_server).
-export([main/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).
-export([start_child/1]).

main([Case]) ->
    %% Reports cost as much as what is measured; the other side has nobody listen to its own.
    logger:set_primary_config(level, none),
    {_, Ref} = spawn_monitor(fun() -> exit({figure, measure(list_to_atom(Case))}) end),
    receive {'DOWN', Ref, process, _, {figure, Figure}} -> io:format("~.1f~n", [float(Figure)]);
            {'DOWN', Ref, process, _, Reason} -> io:format(standard_error, "~p~n", [Reason])
    end,
    erlang:halt(0).

%% Operations per second, after a tenth of the run to warm up.
rate(N, Run) ->
    Run(N div 10),
    T0 = erlang:monotonic_time(nanosecond),
    Run(N),
    N * 1.0e9 / (erlang:monotonic_time(nanosecond) - T0).

measure(pingPong) -> rate(1000000, fun(N) -> pairs(1, N) end);
measure(pairs100) -> rate(1000000, fun(N) -> pairs(100, N div 100) end);
measure(spawn) -> rate(500000, fun spawns/1);
measure(call) ->
    {ok, Server} = gen_server:start(?MODULE, counter, []),
    rate(500000, fun(N) -> calls(Server, N) end);
measure(call100) ->
    {ok, Server} = gen_server:start(?MODULE, counter, []),
    rate(500000, fun(N) -> together(100, fun() -> calls(Server, N div 100) end) end);
measure(cast) ->
    {ok, Server} = gen_server:start(?MODULE, counter, []),
    rate(2000000, fun(N) -> casts(Server, N) end);
measure(ring) ->
    First = self(),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> forward(Next) end) end, First, lists:seq(1, 999)),
    rate(2000000, fun(N) -> Last ! {hop, N}, ring(Last) end);
measure(fanOut) ->
    Pids = receivers(10000),
    rate(100, fun(N) -> fan(Pids, N) end) * 10000;
measure(dispatch) ->
    Table = ets:new(registry, [duplicate_bag, public, {read_concurrency, true}]),
    [ets:insert(Table, {key, Pid}) || Pid <- receivers(10000)],
    rate(100, fun(N) -> dispatch(Table, N) end) * 10000;
measure(timers) -> rate(1000000, fun timers/1);
measure(restart100) -> restarts(100, 20);
measure(restart10000) -> restarts(10000, 1);
measure(idleBytes) -> bytes(fun(Pids) -> [garbage_collect(Pid) || Pid <- Pids] end);
measure(hibernatedBytes) -> bytes(fun(Pids) -> [gen_server:cast(Pid, rest) || Pid <- Pids] end).

bytes(Rest) ->
    N = 100000,
    keep_warm(),
    Before = settled(),
    Pids = [element(2, gen_server:start(?MODULE, {map, I}, [])) || I <- lists:seq(1, N)],
    Rest(Pids),
    After = settled(),
    put(kept, Pids),
    %% The list of pids is not the servers'.
    (After - Before - N * 16) / N.

keep_warm() -> {ok, _} = gen_server:start(?MODULE, counter, []).
settled() -> garbage_collect(), timer:sleep(100), erlang:memory(total).

together(Clients, Run) ->
    Refs = [element(2, spawn_monitor(Run)) || _ <- lists:seq(1, Clients)],
    [receive {'DOWN', Ref, process, _, normal} -> ok end || Ref <- Refs].

pairs(Pairs, N) ->
    together(Pairs, fun() -> Pong = spawn_link(fun pong/0), ping(Pong, N), Pong ! stop end).
ping(_, 0) -> ok;
ping(Pong, N) -> Pong ! {ping, self()}, receive {pong, Pong} -> ping(Pong, N - 1) end.
pong() -> receive {ping, From} -> From ! {pong, self()}, pong(); stop -> ok end.

spawns(0) -> ok;
spawns(N) ->
    {_, Ref} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Ref, process, _, normal} -> spawns(N - 1) end.

calls(_, 0) -> ok;
calls(Server, N) -> _ = gen_server:call(Server, read), calls(Server, N - 1).

casts(Server, 0) -> _ = gen_server:call(Server, read), ok;
casts(Server, N) ->
    gen_server:cast(Server, {add, 1}),
    %% As on the other side: never more than 1,000 wait.
    N rem 1000 =:= 0 andalso gen_server:call(Server, read),
    casts(Server, N - 1).

forward(Next) -> receive {hop, _} = Hop -> Next ! Hop, forward(Next) end.
ring(Last) -> receive {hop, N} when N =< 1000 -> ok; {hop, N} -> Last ! {hop, N - 1000}, ring(Last) end.

receivers(Count) -> Self = self(), [spawn(fun() -> receiver(Self) end) || _ <- lists:seq(1, Count)].
receiver(Collector) -> receive {event, _} -> receiver(Collector); {last, _} -> Collector ! done, receiver(Collector) end.
fan(_, 0) -> ok;
fan(Pids, N) ->
    [Pid ! {event, N} || Pid <- Pids],
    lists:last(Pids) ! {last, N},
    receive done -> fan(Pids, N - 1) end.
dispatch(_, 0) -> ok;
dispatch(Table, N) ->
    Entries = ets:lookup(Table, key),
    [Pid ! {event, N} || {_, Pid} <- Entries],
    {_, Last} = lists:last(Entries),
    Last ! {last, N},
    receive done -> dispatch(Table, N - 1) end.

timers(0) -> ok;
timers(N) -> erlang:cancel_timer(erlang:send_after(60000, self(), late)), timers(N - 1).

%% All children of one supervisor are killed; how many come back per second.
restarts(Children, Rounds) ->
    register(collector, self()),
    {ok, Sup} = supervisor:start_link(?MODULE, tree),
    [{ok, _} = supervisor:start_child(Sup, []) || _ <- lists:seq(1, Children)],
    came(Children),
    T0 = erlang:monotonic_time(nanosecond),
    [begin
         [exit(Pid, kill) || {_, Pid, _, _} <- supervisor:which_children(Sup)],
         came(Children)
     end || _ <- lists:seq(1, Rounds)],
    Children * Rounds * 1.0e9 / (erlang:monotonic_time(nanosecond) - T0).
came(0) -> ok;
came(N) -> receive up -> came(N - 1) end.
start_child(Kind) -> gen_server:start_link(?MODULE, Kind, []).

init(tree) ->
    Child = #{id => child, start => {?MODULE, start_child, [reports]}, shutdown => brutal_kill},
    {ok, {#{strategy => simple_one_for_one, intensity => 1000000000, period => 3600}, [Child]}};
init(reports) -> collector ! up, {ok, 0};
init(counter) -> {ok, 0};
init({map, I}) -> {ok, #{id => I, name => none, count => 0, since => I * 2, open => true}}.
handle_call(read, _, State) -> {reply, State, State}.
handle_cast(rest, State) -> {noreply, State, hibernate};
handle_cast({add, N}, State) -> {noreply, State + N}.
handle_info(_, State) -> {noreply, State}.
