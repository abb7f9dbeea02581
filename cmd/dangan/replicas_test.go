package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dangan/archive"
	"dangan/internal/testenv"
)

// TestReplicas has three services work as one on one bucket and one index,
// behind a balancer that gives each request to the next of them. While clients are
// at work one is killed and one is frozen for longer than its leases last: the
// third finishes what they began, and when the frozen one goes on with what it
// thinks is its turn, it does no harm.
func TestReplicas(t *testing.T) {
	s, replicas := replicated(t, 3)
	book, before := &ledger{}, s.all(t)
	var alone durations
	rounds := testenv.Rounds(t, 3)
	for round := range rounds {
		dead, zombie := replicas[round%3].service, replicas[(round+1)%3].service
		var struck time.Time
		restore := s.round(t, book, round, rand.New(rand.NewPCG(rand.Uint64(), 1)), func(*rand.Rand) func() {
			zombie.Pause()
			dead.Kill()
			struck = time.Now()
			time.Sleep(3 * time.Second) // of work for the third
			return func() { zombie.Resume(); dead.Start() }
		})
		s.settleAll(t, book)
		s.awaitRest(t)
		alone = append(alone, time.Since(struck))
		const lease = 10 * time.Second // of the sweep, in openRooms
		time.Sleep(lease + time.Second - time.Since(struck))
		restore()
	}
	s.checkDeposits(t, book)
	s.checkCertificates(t, book)
	book.compare(t, before, s.all(t))
	s.awaitRest(t)
	book.mustShow(t)
	t.Logf("%d rounds, %v\nfrom the blow to all repeated and no work left, one replica alone: %v", rounds, book, alone)
	for n := range rounds {
		sameKeyEverywhere(t, replicas, fmt.Sprint("everywhere-", n))
		oneWinner(t, replicas, fmt.Sprint("race-", n))
	}
	s.awaitRest(t)
	s.checkBucket(t)
}

// replicated is an external site with n services, and a site for each of them.
func replicated(t *testing.T, n int) (front *site, replicas []*site) {
	t.Helper()
	s := externalSite(t)
	for len(replicas) < n-1 {
		address := testenv.FreeAddr(t)
		r := *s
		r.url = "http://" + address
		r.service = testenv.Run(t, testenv.Spec{Args: []string{binary, "serve"},
			Env: append(slices.Clone(s.env), "DANGAN_LISTEN="+address), Ready: r.url + "/readyz"})
		replicas = append(replicas, &r)
	}
	first := *s
	replicas = append(replicas, &first)
	balancer := httptest.NewServer(balance(t, replicas))
	t.Cleanup(balancer.Close)
	s.url = balancer.URL
	return s, replicas
}

// balance gives each request to the next replica. One that does not answer is left
// alone for a while, and its client told to ask again.
func balance(t *testing.T, replicas []*site) http.Handler {
	t.Helper()
	type target struct {
		proxy *httputil.ReverseProxy
		rests atomic.Int64 // until then, Unix time in nanoseconds
	}
	var targets []*target
	for _, r := range replicas {
		to, err := url.Parse(r.url)
		if err != nil {
			t.Fatal(err)
		}
		one := &target{}
		one.proxy = &httputil.ReverseProxy{
			Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(to) },
			Transport: &http.Transport{ResponseHeaderTimeout: 2 * time.Second, MaxIdleConnsPerHost: 16},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
				one.rests.Store(time.Now().Add(3 * time.Second).UnixNano())
				w.WriteHeader(http.StatusBadGateway)
			},
		}
		targets = append(targets, one)
	}
	var turn atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range targets {
			one := targets[turn.Add(1)%uint64(len(targets))]
			if one.rests.Load() < time.Now().UnixNano() {
				one.proxy.ServeHTTP(w, r)
				return
			}
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
}

// sameKeyEverywhere deposits the same thing under one key on all replicas at
// once, and again afterwards: all say the same record.
func sameKeyEverywhere(t *testing.T, replicas []*site, key string) {
	t.Helper()
	d := newDeposit(replicas[0], key)
	ids := make([]string, len(replicas))
	for range 2 {
		atOnce(replicas, func(n int, r *site) {
			mine := *d
			for range 20 { // who comes between two steps of another may be told to ask again
				if r.acknowledge(t.Context(), &mine) {
					break
				}
				pause(t.Context())
			}
			ids[n] = mine.id
		})
		if ids[0] == "" || slices.ContainsFunc(ids, func(id string) bool { return id != ids[0] }) {
			t.Errorf("one key, on each replica: records %q", ids)
		}
	}
}

// oneWinner has all replicas change one version of a request: one does.
func oneWinner(t *testing.T, replicas []*site, key string) {
	t.Helper()
	d := newDeposit(replicas[0], key)
	eventually(t, 30*time.Second, "a deposit", func() bool { return replicas[0].acknowledge(t.Context(), d) })
	var v requestView
	replicas[1].must(t, 201, call{user: "citizen", method: "POST", path: "/api/v1/requests",
		body: map[string]any{"office": d.record.Office, "purpose": "办理公积金贷款",
			"wanted": archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: canaryName, Role: "wife"}}}}}).json(t, &v)
	statuses := make([]int, len(replicas))
	atOnce(replicas, func(n int, r *site) {
		a, err := r.try(t.Context(), call{user: "reviewer", method: "POST", path: "/api/v1/requests/" + v.ID + "/actions",
			body: archive.Move{Step: archive.StepMatch, Record: d.id}, header: map[string]string{"If-Match": fmt.Sprintf("%q", fmt.Sprint(v.Version))}})
		if err != nil {
			t.Error(err)
		}
		statuses[n] = a.status
	})
	slices.Sort(statuses)
	if want := []int{200, 412, 412}; !slices.Equal(statuses, want) {
		t.Errorf("three replicas change one version: statuses %v, want %v", statuses, want)
	}
	for _, r := range replicas {
		if got := r.request(t, "reviewer", v.ID); got.Version != v.Version+1 || got.State != archive.Matched {
			t.Errorf("a replica sees version %d, %v", got.Version, got.State)
		}
	}
}

// atOnce does the same on all replicas at the same time.
func atOnce(replicas []*site, do func(n int, r *site)) {
	var all sync.WaitGroup
	for n, r := range replicas {
		all.Go(func() { do(n, r) })
	}
	all.Wait()
}
