package embedded

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"dangan/internal/testenv"
)

// TestPowerCut cuts the power of the disk at random moments while writers are at
// work. What was acknowledged is there, what was not is there as a whole or not
// at all, and what was removed stays away.
func TestPowerCut(t *testing.T) {
	rounds := testenv.Rounds(t, 4)
	disk := testenv.NewDisk(t, 512)
	var sum tally
	for round := range rounds {
		sum.add(powerCut(t, disk, fmt.Sprint(round), "store-child"))
	}
	t.Logf("%d power cuts: %v", rounds, sum)
	if sum.broken() > 0 {
		t.Errorf("the store broke its promise: %v", sum)
	}
	if sum.acknowledged == 0 || sum.open == 0 {
		t.Error("the cuts did not fall among the work: the test has shown nothing")
	}
}

// TestPowerCutFindsMissingSyncs: a store that never syncs cannot pass. One cut may
// miss it, when another program has just had the kernel sync every disk.
func TestPowerCutFindsMissingSyncs(t *testing.T) {
	disk := testenv.NewDisk(t, 512)
	var sum tally
	for round := 0; sum.broken() == 0; round++ {
		if round == 20 {
			t.Fatalf("20 cuts found nothing wrong: %v", sum)
		}
		sum.add(powerCut(t, disk, fmt.Sprint(round), "store-child-that-never-syncs"))
	}
	t.Logf("a store that never syncs: %v", sum)
}

// tally is what became of writes and removals.
type tally struct{ acknowledged, open, lost, torn, undead int }

func (a *tally) add(b tally) {
	a.acknowledged += b.acknowledged
	a.open += b.open
	a.lost += b.lost
	a.torn += b.torn
	a.undead += b.undead
}

// broken counts broken promises.
func (a tally) broken() int { return a.lost + a.torn + a.undead }

func (a tally) String() string {
	return fmt.Sprintf("%d writes acknowledged, %d without an answer, %d lost, %d torn, %d removed and back",
		a.acknowledged, a.open, a.lost, a.torn, a.undead)
}

// powerCut is one round on a disk that keeps what earlier rounds left.
func powerCut(t *testing.T, disk *testenv.Disk, round, child string) tally {
	t.Helper()
	cfg := testConfig(filepath.Join(disk.Path, "store"))
	cfg.Args = []string{child}
	s := startQuietly(t, cfg)
	c := client(t, s)
	if exists, err := c.BucketExists(t.Context(), bucket); err != nil {
		t.Fatal(err)
	} else if !exists {
		clientWithBucket(t, s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	all := make([][]*written, 4)
	var writers sync.WaitGroup
	for n := range all {
		writers.Go(func() { all[n] = writeUntil(ctx, c, fmt.Sprintf("%s/%d", round, n)) })
	}
	time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // the moment of the cut
	disk.CutPower()
	cancel()
	writers.Wait()
	stop(t, s)
	disk.Restore()

	s = startQuietly(t, testConfig(cfg.Dir))
	defer stop(t, s)
	c = client(t, s)
	var sum tally
	for _, list := range all {
		for _, w := range list {
			sum.add(w.judge(t, c))
		}
	}
	return sum
}

// startQuietly starts a store whose troubles are no news.
func startQuietly(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

// written is one object and what its writer was told about it.
type written struct {
	key, body    string
	put          bool // acknowledged
	remove, gone bool // its removal was tried, and acknowledged
}

// writeUntil writes objects of all sizes, every fifth in parts, and removes every
// third, until ctx ends or the store fails.
func writeUntil(ctx context.Context, c *minio.Client, prefix string) (list []*written) {
	for i := 0; ctx.Err() == nil; i++ {
		w := &written{key: fmt.Sprintf("%s/%d", prefix, i)}
		w.body = strings.Repeat(w.key+"\n", 1+rand.IntN(1<<(i%16)))
		list = append(list, w)
		opts, size := minio.PutObjectOptions{}, int64(len(w.body))
		if i%5 == 4 {
			opts, size = minio.PutObjectOptions{PartSize: 5 << 20}, -1
		}
		if _, err := c.PutObject(ctx, bucket, w.key, strings.NewReader(w.body), size, opts); err != nil {
			return list
		}
		w.put = true
		if i%3 != 2 {
			continue
		}
		w.remove = true
		if c.RemoveObject(ctx, bucket, w.key, minio.RemoveObjectOptions{}) != nil {
			return list
		}
		w.gone = true
	}
	return list
}

// judge looks for one object after the cut.
func (w *written) judge(t *testing.T, c *minio.Client) (sum tally) {
	t.Helper()
	var body []byte
	object, err := c.GetObject(t.Context(), bucket, w.key, minio.GetObjectOptions{})
	if err == nil {
		defer object.Close()
		body, err = io.ReadAll(object)
	}
	code := minio.ToErrorResponse(err).Code
	absent := code == minio.NoSuchKey || code == minio.NoSuchBucket
	if err != nil && !absent {
		t.Fatalf("get %s: %v", w.key, err)
	}
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	count(&sum.acknowledged, w.put)
	count(&sum.open, !w.put || w.remove && !w.gone)
	count(&sum.lost, absent && w.put && !w.remove)
	count(&sum.torn, !absent && string(body) != w.body)
	count(&sum.undead, !absent && w.gone)
	return sum
}
