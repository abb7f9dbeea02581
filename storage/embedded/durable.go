package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// The posix backend never syncs: after a power cut, objects it had acknowledged
// were missing or had the right size and only zero bytes. durable adds what is
// needed for "acknowledged means on disk", in two parts:
//
//	before an object becomes visible, its bytes are synced, so a visible object
//	is never torn (durableMeta, from inside the backend);
//	before a request is answered, the folders that lead to the object are
//	synced, so its name is there as well (durable, around the backend).
type durable struct {
	*posix.Posix
	meta    durableMeta
	folders *folders
}

// openDurable serves root and makes it the working directory of the process.
func openDurable(root string, d disk) (*durable, error) {
	m := durableMeta{disk: d}
	if err := m.Test(root); err != nil {
		return nil, fmt.Errorf("open %s: %w", root, err)
	}
	var opts posix.PosixOpts
	opts.SetNewDirPerm(0o700)
	opts.SetNewFilePerm(0o600)
	opts.CopyObjectThreshold = 5 << 30 // the limit of S3; zero would refuse every copy
	p, err := posix.New(root, m, opts)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return &durable{Posix: p, meta: m, folders: newFolders()}, nil
}

func (d *durable) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	out, err := d.Posix.PutObject(ctx, in)
	if errors.Is(err, s3err.GetAPIError(s3err.ErrExistingObjectIsDirectory)) {
		// The backend also says so when the deletion of a neighbour has just
		// removed the emptied folders above the new object.
		if info, stat := os.Stat(filepath.Join(*in.Bucket, *in.Key)); stat != nil || !info.IsDir() {
			err = s3err.GetAPIError(s3err.ErrInternalError) // clients retry this one
		}
	}
	return out, d.vouch(err, in.Bucket, in.Key)
}

func (d *durable) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	out, err := d.Posix.CopyObject(ctx, in)
	return out, d.vouch(err, in.Bucket, in.Key)
}

// CompleteMultipartUpload also checks that the object is there. The backend
// answers a repeated request with success while the first is still at work, or
// died at it, or if any object has that key.
func (d *durable) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	out, version, err := d.Posix.CompleteMultipartUpload(ctx, in)
	if err == nil {
		etag, _ := d.meta.RetrieveAttribute(nil, *in.Bucket, *in.Key, etagAttribute)
		if out.ETag == nil || string(etag) != *out.ETag {
			err = s3err.GetAPIError(s3err.ErrInternalError) // clients retry this one
		}
	}
	return out, version, d.vouch(err, in.Bucket, in.Key)
}

func (d *durable) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	path := filepath.Join(*in.Bucket, *in.Key)
	defer d.folders.delete(path)()
	out, err := d.Posix.DeleteObject(ctx, in)
	if err != nil {
		return out, d.vouch(err, in.Bucket, in.Key)
	}
	return out, d.meta.disk.settleRemoval(path)
}

func (d *durable) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	for _, o := range in.Delete.Objects {
		defer d.folders.delete(filepath.Join(*in.Bucket, *o.Key))()
	}
	out, err := d.Posix.DeleteObjects(ctx, in)
	for _, deleted := range out.Deleted {
		err = errors.Join(err, d.meta.disk.settleRemoval(filepath.Join(*in.Bucket, *deleted.Key)))
	}
	return out, err
}

func (d *durable) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, acl []byte) error {
	if err := d.Posix.CreateBucket(ctx, in, acl); err != nil {
		return err
	}
	_, err := d.meta.disk.settle(".") // its attributes are settled by durableMeta
	return err
}

func (d *durable) DeleteBucket(ctx context.Context, bucket string) error {
	if err := d.Posix.DeleteBucket(ctx, bucket); err != nil {
		return err
	}
	_, err := d.meta.disk.settle(".")
	return err
}

// vouch settles the object that an answer speaks of. A failed precondition is
// such an answer as well: its receiver will rely on the object in the way,
// whose writer may not have been answered yet.
func (d *durable) vouch(err error, bucket, key *string) error {
	if err != nil && !errors.Is(err, s3err.GetAPIError(s3err.ErrPreconditionFailed)) {
		return err
	}
	if unsettled := d.settleObject(filepath.Join(*bucket, *key)); unsettled != nil {
		return unsettled
	}
	return err
}

// settleObject settles an object, the folder that names it, and those above up to
// one whose own name is known to be settled.
func (d *durable) settleObject(path string) error {
	learn := d.folders.learner(path)
	there, err := d.meta.disk.settle(path)
	if err != nil {
		return err
	}
	var settled []string
	for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
		if _, err := d.meta.disk.settle(dir); err != nil {
			return err
		}
		if d.folders.has(dir) {
			break
		}
		settled = append(settled, dir)
	}
	if there { // and so were they
		learn(settled)
	}
	return nil
}

// etagAttribute is the one attribute that the backend sets on every object it
// is about to publish, after its last byte.
const etagAttribute = "etag"

// durableMeta keeps metadata in extended attributes, next to the bytes they
// describe, and syncs both.
type durableMeta struct {
	meta.XattrMeta
	disk disk
}

// StoreAttribute syncs an open file, which is not visible yet, when it gets its
// ETag. Attributes set after that are synced with the published object. An
// attribute set by name changes what is visible already and is settled at once.
func (m durableMeta) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	if err := m.XattrMeta.StoreAttribute(f, bucket, object, attribute, value); err != nil {
		return err
	}
	if f == nil {
		return m.settle(bucket, object)
	}
	if attribute != etagAttribute {
		return nil
	}
	err := m.disk.sync(f)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)
	}
	return err
}

func (m durableMeta) DeleteAttribute(bucket, object, attribute string) error {
	if err := m.XattrMeta.DeleteAttribute(bucket, object, attribute); err != nil {
		return err
	}
	return m.settle(bucket, object)
}

func (m durableMeta) settle(bucket, object string) error {
	if strings.HasPrefix(object, posix.MetaTmpDir) {
		return nil // an upload in progress promises nothing
	}
	_, err := m.disk.settle(filepath.Join(bucket, object))
	return err
}

// RetrieveAttribute reports an object whose ETag cannot be read, or was lost in
// a backup without attributes, as one with an empty ETag. The backend would
// take the error for "no such object" and let a create-only PUT replace it.
func (m durableMeta) RetrieveAttribute(f *os.File, bucket, object, attribute string) ([]byte, error) {
	value, err := m.XattrMeta.RetrieveAttribute(f, bucket, object, attribute)
	if err == nil || attribute != etagAttribute || f != nil {
		return value, err
	}
	if info, e := os.Lstat(filepath.Join(bucket, object)); e == nil && info.Mode().IsRegular() {
		return nil, nil
	}
	return nil, err
}

// disk makes changes permanent.
type disk struct {
	sync func(*os.File) error // (*os.File).Sync
	// fail is told when a change that readers can see could not be made
	// permanent. The kernel may report such an error only once and then show
	// the change as if it were safe, so the store must not go on.
	fail context.CancelCauseFunc
}

// settleRemoval settles the folder in which the object at path, or the folders
// that it was the last in, had their name.
func (d disk) settleRemoval(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if there, err := d.settle(dir); there || err != nil {
			return err
		}
	}
}

// settle makes what is at path permanent. Nothing there is fine: then somebody
// deleted it, and the folder above, settled next, tells the truth.
func (d disk) settle(path string) (there bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, err // too many open files, say: nothing is lost, a retry settles it
	}
	defer f.Close()
	if err := d.sync(f); err != nil {
		err = fmt.Errorf("%w: %w", ErrNotDurable, err)
		d.fail(err)
		return true, err
	}
	return true, nil
}
