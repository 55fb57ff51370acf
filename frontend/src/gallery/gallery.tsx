import { Button } from '@mui/material';
import { Empty } from '../empty';
import { isInFlight } from '../tasks/record';
import { deleteTask, useTasks } from '../tasks/store';
import { TaskView } from '../tasks/task-view';

/** Everything that this browser has asked for, whatever came of it. */
export function Gallery() {
  const tasks = useTasks();
  return (
    <>
      <h1>Gallery</h1>
      <p className="muted">What you have made. It is kept in this browser only.</p>
      {tasks.length === 0 && <Empty text="Nothing here yet." start="Make the first avatar" />}
      <ul className="gallery">
        {tasks.map((record) => (
          <li key={record.key} className="card">
            <TaskView record={record} />
            <div className="row caption">
              <span className="small grow">{record.body.prompt}</span>
              <Button color="error" disabled={isInFlight(record)} onClick={() => deleteTask(record.key)}>
                Delete
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
