package testenv_test

import (
	"os"
	"path/filepath"
	"testing"

	"dangan/internal/testenv"
)

// TestDiskLosesWhatWasNotSynced: otherwise every store would pass. It may take some
// cuts, because other programs on the machine may have the kernel sync every disk.
func TestDiskLosesWhatWasNotSynced(t *testing.T) {
	disk := testenv.NewDisk(t, 32)
	for cut := 0; !cutLoses(t, disk); cut++ {
		if cut == 20 {
			t.Fatal("20 cuts have lost nothing")
		}
	}
}

// cutLoses reports whether a cut takes an unsynced file away.
func cutLoses(t *testing.T, disk *testenv.Disk) bool {
	t.Helper()
	synced, unsynced := filepath.Join(disk.Path, "synced"), filepath.Join(disk.Path, "unsynced")
	write(t, synced, true)
	write(t, unsynced, false)
	disk.CutPower()
	if err := os.WriteFile(unsynced, []byte("late"), 0o600); err == nil {
		t.Error("a disk without power was written to")
	}
	disk.Restore()
	if text, err := os.ReadFile(synced); err != nil || string(text) != "text" {
		t.Errorf("what was synced: %q, %v", text, err)
	}
	text, err := os.ReadFile(unsynced)
	lost := err != nil || string(text) != "text"
	if err := os.RemoveAll(unsynced); err != nil {
		t.Fatal(err)
	}
	return lost
}

func write(t *testing.T, path string, sync bool) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if !sync {
		return
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for _, f := range []*os.File{file, folder} {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
}
