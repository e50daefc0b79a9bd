with breaks as (
  select bidder, date_time as dt,
    case when date_time - lag(date_time) over (partition by bidder order by date_time) <= 10000 then 0 else 1 end as n
  from bid
), sessions as (
  select bidder, dt, sum(n) over (partition by bidder order by dt, n desc rows unbounded preceding) as session from breaks
)
select bidder, count(*) as c, min(dt) as s, max(dt) + 10000 as e from sessions group by bidder, session
