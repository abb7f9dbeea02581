package embedded

import (
	"fmt"
	"testing"
)

func TestFolders(t *testing.T) {
	const path = "b/work/batch/1"
	learnt := []string{"b/work/batch", "b/work", "b"}
	knows := func(f *folders) bool { return f.has("b/work/batch") && f.has("b/work") && f.has("b") }

	f := newFolders()
	f.learner(path)(learnt)
	if !knows(f) {
		t.Error("did not learn")
	}
	done := f.delete(path)
	if f.has("b/work/batch") || f.has("b/work") {
		t.Error("a deletion may remove what is known")
	}
	beside := f.learner("b/work/other")
	done()
	beside(learnt)
	if f.has("b/work/batch") {
		t.Error("learnt beside a deletion that began before")
	}
	learn := f.learner(path)
	f.delete("b/work/batch/2")()
	learn(learnt)
	if f.has("b/work/batch") {
		t.Error("learnt beside a deletion that began after")
	}
	learn = f.learner(path)
	f.delete("b/chain/record/1")()
	learn(learnt)
	if !knows(f) {
		t.Error("disturbed by a deletion elsewhere")
	}
}

func TestFoldersAreBounded(t *testing.T) {
	f := newFolders()
	for i := range maxFolders + 2 {
		f.learner("b/x")([]string{fmt.Sprint("b/", i)})
	}
	if len(f.known) > maxFolders || !f.has(fmt.Sprint("b/", maxFolders+1)) {
		t.Error(len(f.known), "folders")
	}
}
